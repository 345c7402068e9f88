"""What people are told of their account: on the console, and by mail."""
