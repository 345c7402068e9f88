"""Transforms: a JSONata expression makes another event of each, in a process that can be ended at any time."""
