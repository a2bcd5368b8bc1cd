"""The start page, and one's own account."""
