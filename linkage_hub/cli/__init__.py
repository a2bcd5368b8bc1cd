"""The ``linkage-hub`` command line."""
