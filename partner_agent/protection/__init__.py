"""People and homes that this partner never releases, whatever was consented to."""
