"""Alembic migrations of the ledger and of its mirrors."""
