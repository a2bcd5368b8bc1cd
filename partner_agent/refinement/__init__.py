"""Refinement: whether two records agree enough, told as tokens that mean nothing else."""
