"""Bringing archived events back to the database for a while."""
