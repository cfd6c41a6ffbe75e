"""Rows, migrations, photo bytes and secrets, behind the ports of `domain/rows.py` and `domain/ports.py`.

Nothing of SQLAlchemy, SQLModel or obstore leaves this room: callers see domain values.
"""
