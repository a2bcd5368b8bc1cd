"""The agent's own database: one SQLite file in its home."""
