"""The twenty source systems of the four partners."""
