"""Which rows of one source are of one person, found by the agent in plaintext."""
