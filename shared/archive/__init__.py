"""Where events go when their retention is over: objects of compressed lines, and what finds one in them."""
