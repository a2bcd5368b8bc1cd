"""Areas of the console: a package of pages each, listed in areas.py."""
