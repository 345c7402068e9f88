"""Inviting people to a project."""
