"""Senders with a name: what they may send and how fast."""
