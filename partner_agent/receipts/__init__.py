"""Receipts of consent: a page to print, and JSON."""
