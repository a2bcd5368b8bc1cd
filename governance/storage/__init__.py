"""Databases of every program: SQLite by default, PostgreSQL by URL, migrated when opened."""
