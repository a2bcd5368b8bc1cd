"""What data subjects' requests to partners mean for the hub."""
