"""What every party must agree on and can verify for itself."""
