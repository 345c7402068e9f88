"""Delivering again: what is selected, what that comes to, and the rows of the job that does it."""
