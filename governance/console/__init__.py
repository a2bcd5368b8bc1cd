"""The console of one organisation's staff: accounts, sessions, who may open what, an audit log."""
