"""Who is asking, and what may they do: API keys, access tokens, roles and the one check of them."""
