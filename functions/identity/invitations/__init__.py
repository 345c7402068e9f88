"""Becoming a member by a link."""
