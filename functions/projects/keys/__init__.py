"""API keys: made, rotated, revoked."""
