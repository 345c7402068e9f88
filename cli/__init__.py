"""The `weir` command. `main` finds a command, `commands` has one module for each, the rest is what they are made of.

It speaks to Weir by HTTP and imports no function. Of `shared` it imports what is pure and, for the local Weir and for
work where a database is, what that needs.
"""
