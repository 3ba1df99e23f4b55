import tomllib
from importlib.resources import files

import cairo

HEIGHT = 20
PAD = 6
COLOURS = tomllib.loads(files("badges").joinpath("colours.toml").read_text(encoding="utf-8"))


def _context(surface):
    context = cairo.Context(surface)
    context.select_font_face("DejaVu Sans")
    context.set_font_size(11)
    return context


def draw(left: str, right: str, colour: str) -> cairo.ImageSurface:
    measure = _context(cairo.ImageSurface(cairo.FORMAT_ARGB32, 1, 1))
    widths = [round(measure.text_extents(text).x_advance) + 2 * PAD for text in (left, right)]
    surface = cairo.ImageSurface(cairo.FORMAT_ARGB32, sum(widths), HEIGHT)
    context = _context(surface)
    x = 0
    for text, width, name in zip((left, right), widths, ("slate", colour)):
        context.set_source_rgb(*COLOURS[name])
        context.rectangle(x, 0, width, HEIGHT)
        context.fill()
        context.set_source_rgb(1, 1, 1)
        context.move_to(x + PAD, 14)
        context.show_text(text)
        x += width
    return surface
