"""What is asked for beside a password: codes of an authenticator, recovery codes."""
