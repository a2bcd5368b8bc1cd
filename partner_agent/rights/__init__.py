"""Requests of the people whom this partner's records are about."""
