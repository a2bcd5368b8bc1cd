"""Reports of figures: the programme's month, needs, and what analysts share."""
