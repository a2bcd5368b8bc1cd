"""The Algorithmic Transparency Record of an agreement: what it says, and how it is read."""
