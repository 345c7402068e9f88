"""The events that Weir's functions send one another. Each module is one type; schemas are generated."""
