"""Passwords: set, checked, hashed, and which are too easy to guess."""
