"""Mail to people, where an SMTP server is configured."""
