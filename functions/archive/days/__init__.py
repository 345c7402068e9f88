"""Archived days: listed, verified, and the events in them found and shown."""
