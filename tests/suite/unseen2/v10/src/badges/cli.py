import sys

import click

from . import draw as art


@click.group()
def main():
    """Draws badges."""


@main.command()
def colours():
    for name, parts in art.COLOURS.items():
        click.echo(f"{name} #" + "".join(f"{round(255 * part):02x}" for part in parts))


@main.command()
@click.argument("left")
@click.argument("right")
@click.option("--colour", type=click.Choice(list(art.COLOURS)), default="green")
@click.option("--out", type=click.Path(dir_okay=False, writable=True), default="badge.png")
def draw(left, right, colour, out):
    art.draw(left, right, colour).write_to_png(out)
    click.echo(out)


@main.command()
@click.argument("left")
@click.argument("right")
def probe(left, right):
    """How high it is, whether letters take room, and whether they leave ink."""
    surface, empty = art.draw(left, right, "red"), art.draw("", "", "red")
    pixels = bytes(surface.get_data())
    white = sum(pixels[at : at + 3] == b"\xff\xff\xff" for at in range(0, len(pixels), 4))
    wide = surface.get_width() > empty.get_width() + 20
    click.echo(f"height {surface.get_height()}, wide {wide}, ink {white > 0}")
    sys.exit(0 if wide and white else 1)
