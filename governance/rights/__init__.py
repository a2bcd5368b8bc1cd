"""Requests of the people whom records are about (UK GDPR Articles 15 to 18 and 21)."""
