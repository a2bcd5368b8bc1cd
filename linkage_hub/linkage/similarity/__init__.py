"""All pairs of encodings that are similar enough, without comparing them all in full."""
