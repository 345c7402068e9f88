"""Projects, and what belongs to one: people, roles, credentials, sources, settings, the audit log."""
