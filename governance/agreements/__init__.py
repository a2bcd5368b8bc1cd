"""Data-sharing agreements: the model, its signatures, and what it permits."""
