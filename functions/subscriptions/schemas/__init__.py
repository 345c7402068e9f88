"""The HTTP shapes of subscriptions."""
