"""What became of families from month to month: what engagement and interventions both rest on."""
