"""Refinement as every party can verify it: rounds that the hub logged, and what came of them."""
