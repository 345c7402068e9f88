"""Events sent to whoever watches, as they are stored."""
