import getpass
import os
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        answers = {"/": open("state").read(), "/user": getpass.getuser(), "/large": str(os.path.getsize("large.dat"))}
        body = answers.get(self.path, "?").encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)


HTTPServer(("", 8000), Handler).serve_forever()
