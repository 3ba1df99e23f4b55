import os
import sqlite3
from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"


def connect():
    db = sqlite3.connect(os.environ.get("SHELF_DB", "/var/tmp/shelf.sqlite"))
    db.row_factory = sqlite3.Row
    return db


def migrate():
    with connect() as db:
        done = db.execute("PRAGMA user_version").fetchone()[0]
        for number, script in enumerate(sorted(MIGRATIONS.glob("*.sql")), 1):
            if number > done:
                db.executescript(script.read_text())
                db.execute(f"PRAGMA user_version = {number}")
                print("applied", script.name)
