"""Forgetting a subject: everything that was stored of it, in the database and in the archive."""
