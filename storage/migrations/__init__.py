"""The schema's history; `storage/migrate.py` applies it."""
