"""The hub: links encodings into pseudonymous persons and families, and never learns a name."""
