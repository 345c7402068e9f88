"""Delivering again and cancelling: counted first, then started, steered and ended. `events/replay` does the work."""
