"""What becomes of events when they are old: archived, removed, brought back, forgotten."""
