"""What an information-governance lead, and the public, read from a copy of the ledger."""
