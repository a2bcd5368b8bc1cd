"""Persons to households and families over time; pure functions on evidence."""
