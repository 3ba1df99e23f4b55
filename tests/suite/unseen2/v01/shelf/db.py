import os
import sqlite3
from pathlib import Path

import click
import yaml
from flask import current_app, g
from flask.cli import with_appcontext


def get():
    if "db" not in g:
        g.db = sqlite3.connect(os.environ["SHELF_DB"])
        g.db.row_factory = sqlite3.Row
    return g.db


def close(_error=None):
    connection = g.pop("db", None)
    if connection is not None:
        connection.close()


@click.command("init-db")
@with_appcontext
def init_command():
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    here = Path(current_app.root_path)
    with get() as connection:
        connection.executescript((here / "schema.sql").read_text())
        for entry in yaml.load((here / "seed.yaml").read_text(), Loader=loader):
            connection.execute(
                "INSERT INTO book (title, author, year) VALUES (:title, :author, :year)", entry
            )
