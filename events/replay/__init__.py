"""Works on replays: opens what they select at their rate, below what is live, until it has ended."""
