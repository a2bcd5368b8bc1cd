"""Requests that wait for an IG lead, and the decision."""
