"""From an event and a subscription to a request at its sink, and what comes of it."""
