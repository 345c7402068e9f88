"""How long a project keeps events, in the database and in the archive."""
