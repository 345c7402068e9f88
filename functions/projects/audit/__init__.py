"""The audit log: listed, exported, verified."""
