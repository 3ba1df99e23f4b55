import locale
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import unquote_plus

from . import calendar_words, entries

HELP = "/write?TEXT  /read  /at/EPOCH  /sort?a,b,c  /money/NUMBER\n"


def answer(path):
    name, _, query = path.lstrip("/").partition("?")
    name, _, rest = name.partition("/")
    if name == "write":
        return 200, f"{entries.write(unquote_plus(query))}\n"
    if name == "read":
        return 200, "".join(f"{line}\n" for line in entries.read())
    if name == "at":
        return 200, calendar_words.moment(float(rest)) + "\n"
    if name == "zone":
        return 200, calendar_words.elsewhere(float(query), rest) + "\n"
    if name == "sort":
        return 200, ",".join(sorted(unquote_plus(query).split(","), key=locale.strxfrm)) + "\n"
    if name == "money":
        return 200, locale.currency(float(rest), grouping=True) + "\n"
    return 404, HELP


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            status, text = answer(self.path)
        except (ValueError, LookupError) as error:
            status, text = 400, f"{type(error).__name__}\n"
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


locale.setlocale(locale.LC_ALL, "")
HTTPServer(("", 7000), Handler).serve_forever()
