"""A service manager's families for consideration, and asking about one."""
