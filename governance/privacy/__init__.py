"""What models have cost in privacy, by replay of the ledger."""
