"""The ledger at a million leaves: appends, proofs, mirrors, replay, beside pymerkle."""
