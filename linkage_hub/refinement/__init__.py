"""Refinement: which pairs partners are asked about, what they answer, what that decides."""
