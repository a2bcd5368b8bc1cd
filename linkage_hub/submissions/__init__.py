"""Receiving, verifying and keeping submissions."""
