"""Criteria catalogues: which needs count, and which families meet how many (ADR 32)."""
