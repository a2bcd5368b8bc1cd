"""Work outside the request: a queue in the hub's own database."""
