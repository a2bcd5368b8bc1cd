"""Families that were helped beside families like them that were not: associations, with checks."""
