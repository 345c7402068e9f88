"""Sign-in by a provider (OpenID Connect)."""
