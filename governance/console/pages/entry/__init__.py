"""Signing in and out, and taking up an invitation."""
