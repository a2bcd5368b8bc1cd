"""What an information-governance lead looks after."""
