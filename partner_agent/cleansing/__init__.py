"""Cleansing of extracts into the cleaned table, with rejects and a quality report."""
