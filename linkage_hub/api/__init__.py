"""The hub over HTTP, as docs/architecture.md lists it."""
