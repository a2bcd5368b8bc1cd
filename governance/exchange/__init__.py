"""What crosses the wire between agents and hub: formats, and signatures on HTTP requests."""
