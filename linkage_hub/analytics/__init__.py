"""Needs, flags and exports, on pseudonymous families."""
