"""Encode cleaned records as CLKs, and make the tokens and rows of a submission."""
