"""``partner-agent console``: the data officer's own page, on this computer alone."""
