"""The console's own database."""
