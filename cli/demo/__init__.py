"""Traffic for looking at Weir: events that others publish, to sinks of which some fail."""
