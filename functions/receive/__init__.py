"""The built-in sink, to try things with."""
