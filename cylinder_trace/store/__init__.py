"""What we remember: all SQL, and only here. SQLAlchemy Core on SQLite and PostgreSQL alike."""
