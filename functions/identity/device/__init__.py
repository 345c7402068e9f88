"""Sign-in on a device without a browser: the device grant of OAuth (RFC 8628)."""
