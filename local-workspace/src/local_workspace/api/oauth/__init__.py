"""Client discovery, tokens for client credentials, personal tokens, the current user."""
