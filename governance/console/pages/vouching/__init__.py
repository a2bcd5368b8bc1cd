"""IG leads vouch for a lead of another organisation that has lost every one."""
