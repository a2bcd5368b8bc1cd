"""An information-governance lead's page of colleagues, and the audit log."""
