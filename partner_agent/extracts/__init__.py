"""Extracts of partners' systems: source mappings, and CSV, XLSX and Parquet read in chunks."""
