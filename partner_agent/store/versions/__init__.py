"""Versions of the agent's tables."""
