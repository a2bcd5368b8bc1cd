"""The vault: from a random record handle back to the partner's own row, encrypted at rest."""
