"""The county's next months: what becomes of its people, and the programme's monthly cycle."""
