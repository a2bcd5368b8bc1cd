"""What hardening costs: speed, candidate recall and uniqueness of views, beside profile clk."""
