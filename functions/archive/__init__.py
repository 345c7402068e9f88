"""How long events are kept, and what is done with those that have left the database."""
