"""Passkeys (WebAuthn): made, used, removed."""
