"""Errors as they arise where records are made: one function a kind, one profile a source."""
