"""What is pure: plain functions on plain data, without stores, sockets or event loop. Imports nothing else of Weir."""
