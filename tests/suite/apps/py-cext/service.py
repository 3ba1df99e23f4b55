from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import unquote

from fastsum import total


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"%d\n" % total(unquote(self.path[1:]).encode())
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


HTTPServer(("", 8000), Handler).serve_forever()
