"""Versions of the hub's tables."""
