"""Subscriptions: kept as versions, checked on stored events, tried with a test event."""
