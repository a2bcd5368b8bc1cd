"""An IG lead confirms colleagues' signing keys."""
