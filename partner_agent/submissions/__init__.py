"""From an extract to a verified submission."""
