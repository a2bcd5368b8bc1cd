"""The report of a programme: families worked with, claims, distances, the change since."""
