"""Candidate pairs to persons: time and quality beside anonlink's solvers."""
