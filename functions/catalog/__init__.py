"""Event types: what was seen of them, the versions of their schemas, their facets."""
