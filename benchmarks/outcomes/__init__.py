"""Progress and associations where the truth is known (docs/outcomes.md)."""
