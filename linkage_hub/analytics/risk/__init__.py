"""How many needs a family has and how likely an outcome is, for professional consideration."""
