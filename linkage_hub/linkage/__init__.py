"""Encodings to candidate pairs to persons; pure functions on numpy arrays."""
