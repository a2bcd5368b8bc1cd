"""What needs cost and what was saved: unit costs, statements of savings (ADR 31)."""
