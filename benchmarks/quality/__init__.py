"""Linkage quality on data with known truth, beside naive clkhash with anonlink and Splink."""
