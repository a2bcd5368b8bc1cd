"""How good figures of risk are, with and without privacy (docs/risk.md)."""
