"""The model of risk that a hub shares: its card, its list."""
