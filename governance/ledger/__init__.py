"""The consent ledger: an append-only Merkle log that every partner mirrors and witnesses."""
