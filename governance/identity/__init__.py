"""Who may sign what: parties, staff, and their keys."""
