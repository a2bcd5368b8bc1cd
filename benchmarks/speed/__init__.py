"""Speed of the similarity join beside its peers, on the synthetic county."""
