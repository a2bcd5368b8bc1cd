"""What the services have in common at the HTTP edge."""
