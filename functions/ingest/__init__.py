"""Where events come in: credentials, limits, the rules of CloudEvents, then one commit for many requests."""
