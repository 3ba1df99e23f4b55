import click

from . import store


@click.group()
def main():
    """Looks after the shelf."""


@main.command()
def migrate():
    store.migrate()


@main.command()
@click.argument("file", type=click.File(encoding="utf-8"))
def load(file):
    with store.connect() as db:
        rows = [line.strip().split("|") for line in file if line.strip()]
        db.executemany("INSERT INTO book (author, title, year) VALUES (?, ?, ?)", rows)
    click.echo(f"{len(rows)} books")
