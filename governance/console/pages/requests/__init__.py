"""A service manager's requests: where they stand, opening, outcome."""
