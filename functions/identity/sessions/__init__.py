"""Sessions: their refresh tokens, and ending them."""
