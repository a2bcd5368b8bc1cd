"""Examples; a package, since opacus (``make dp``) installs another one of this name."""
