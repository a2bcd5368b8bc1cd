"""The register of data items: what is wanted, where it is, and whether it may be used."""
