"""The hub's database: SQLite by default, PostgreSQL by URL."""
