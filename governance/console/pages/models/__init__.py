"""What models may cost of privacy, and have cost."""
