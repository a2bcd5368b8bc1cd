"""What the ledger holds about measuring link runs with synthetic people."""
