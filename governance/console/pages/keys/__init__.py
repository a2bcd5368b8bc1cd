"""The signing passkey and sealing key of whoever is signed in."""
