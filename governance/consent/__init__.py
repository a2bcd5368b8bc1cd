"""Consent to be approached: records, their states, and the rule for a family."""
