"""Link runs, and what is in them, for analysts."""
