"""What a process remembers for a moment, and what the processes share of it in Redis. Imports `core`."""
