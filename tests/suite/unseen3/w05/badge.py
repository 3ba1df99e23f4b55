"""Plaketten: /MARKE/TEXT.svg oder .png"""

import io
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import cairo

HEIGHT = 20


def width(label):
    context = cairo.Context(cairo.ImageSurface(cairo.FORMAT_ARGB32, 1, 1))
    context.select_font_face("DejaVu Sans")
    context.set_font_size(11)
    return round(context.text_extents(label).x_advance) + 12


def paint(context, start, label, color):
    context.set_source_rgb(*color)
    context.rectangle(start, 0, width(label), HEIGHT)
    context.fill()
    context.set_source_rgb(1, 1, 1)
    context.select_font_face("DejaVu Sans")
    context.set_font_size(11)
    context.move_to(start + 6, 14)
    context.show_text(label)


def badge(kind, left, right, color):
    out = io.BytesIO()
    size = width(left) + width(right), HEIGHT
    if kind == "svg":
        surface = cairo.SVGSurface(out, *size)
    else:
        surface = cairo.ImageSurface(cairo.FORMAT_ARGB32, *size)
    context = cairo.Context(surface)
    paint(context, 0, left, (0.3, 0.3, 0.3))
    paint(context, width(left), right, color)
    if kind == "png":
        surface.write_to_png(out)
    surface.finish()
    return out.getvalue()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        parts = unquote(self.path).strip("/").split("/")
        with open("stile.json", encoding="utf-8") as file:
            styles = json.load(file)
        if parts == [""]:
            return self.answer(200, "text/plain", "\n".join(styles).encode())
        name, _, kind = parts[-1].rpartition(".")
        if len(parts) != 2 or parts[0] not in styles or kind not in ("svg", "png"):
            return self.answer(404, "text/plain", b"keine solche Plakette")
        body = badge(kind, parts[0], name, styles[parts[0]])
        return self.answer(200, "image/svg+xml" if kind == "svg" else "image/png", body)

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("", 5000), Handler).serve_forever()
