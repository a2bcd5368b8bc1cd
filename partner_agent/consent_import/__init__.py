"""Many decisions at once, from a partner's case system."""
