"""How long families take in the programme to make progress, for professional consideration."""
