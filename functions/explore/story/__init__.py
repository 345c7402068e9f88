"""All that has to do with one event, in one answer; and what two events have otherwise."""
