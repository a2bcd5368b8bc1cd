"""How good a run's links are, without anybody's truth (docs/adr/0014)."""
