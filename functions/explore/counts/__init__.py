"""How many events a search finds, by time and by facet."""
