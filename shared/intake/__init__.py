"""How events get into a project: held against their types, de-duplicated, stored by shared commits.

What producers send and what sinks reply comes in this way alike.
"""
