"""nginx in the place of programs that serve files, built for real: both images are asked for the same addresses."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.source import Source
from dfopt.testing.case_files import CaseDirectory
from dfopt.testing.facts import CaseFacts

from .engine import Engine
from .plugin import require

FILES = {
    "index.html": "<h1>root</h1>", "about.html": "about", "sub/index.html": "below", "list/a.txt": "a",
    "m.mjs": "export {}", "a.js": "x = 1", "x.svg": "<svg/>", "x.json": "{}", "x.wasm": "-", "app.webmanifest": "{}",
    "f.woff2": "-", "s.css": "a", "t.txt": "t", "plain": "p", "r.md": "# m", "with space.txt": "s", "old.htm": "o",
    ".well-known/links.json": "{}", "i.ico": "-", "p.webp": "-", "big.js": "a" * 3000, "private.txt": "of root alone",
}  # fmt: skip
PATHS = [
    "/", "/index.html", "/index", "/about", "/about/", "/about.html", "/about.html?x=1", "/sub", "/sub/", "/sub/index",
    "/sub/index.html", "/list", "/list/", "/list/a.txt", "/nosuch", "/nosuch/", "/nosuch/deep", "/nosuch.png", "/404",
    "/m.mjs", "/a.js", "/x.svg", "/x.json", "/x.wasm", "/app.webmanifest", "/f.woff2", "/s.css", "/t.txt", "/plain",
    "/r.md", "/with%20space.txt", "/.well-known/links.json", "/old.htm", "/old", "/i.ico", "/p.webp", "/big.js",
    "/private.txt",
]  # fmt: skip
DOCKERFILE = """\
FROM node:22-trixie
RUN apt-get update && apt-get install -y --no-install-recommends nginx-light
RUN npm install --global http-server@14.1.1 serve@14.2.5 vite@7.1.12
WORKDIR /site
COPY files files
RUN cp -a files dist && {page}chmod 600 dist/private.txt && cp -a dist/. /var/www/html
EXPOSE 3000
CMD {command}
"""
SERVERS = {
    "http.server": (8000, '["python3", "-m", "http.server", "-d", "dist"]'),
    "http-server": (8080, '["http-server", "dist", "-p", "8080"]'),
    "http-server, port 80": (80, "exec http-server dist -p 80 -c-1"),
    "serve": (3000, '["serve", "dist"]'),
    "serve, one page": (3000, '["serve", "-s", "-l", "3000", "dist"]'),
    "nginx": (80, '["nginx", "-g", "daemon off;"]'),
    "vite": (4173, '["vite", "preview", "--host", "0.0.0.0"]'),
}
CLIENT = """
import gzip, http.client, json, sys, time
port, paths, end = int(sys.argv[1]), sys.argv[2:], time.monotonic() + 60
answers = {}
while len(answers) < len(paths):
    path = paths[len(answers)]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        kind = (answer.getheader("Content-Type") or "").partition(";")[0]
        headers = [answer.getheader(name) for name in ("Location", "Cache-Control", "Content-Encoding")]
        body = answer.read()
        body = gzip.decompress(body) if headers[-1] == "gzip" else body
        answers[path] = [answer.status, *headers, kind, body.decode("latin-1")]
    except OSError:
        if answers or time.monotonic() > end:
            raise
        time.sleep(0.1)
print(json.dumps(answers))
"""
# One name for another: RFC 9239, and IANA's registration of image/vnd.microsoft.icon
SAME = {"text/javascript": "application/javascript", "image/vnd.microsoft.icon": "image/x-icon"}


def answers(engine: Engine, image: str, port: int) -> dict[str, list[object]]:
    """What an image's server says: path -> status, Location, Cache-Control, Content-Encoding, type, body."""
    name = f"dfopt-site-{uuid.uuid4().hex}"
    started = engine.call(["run", "--detach", "--network=none", "--name", name, image], timeout=60)
    assert started.returncode == 0, started.stderr
    try:
        pid = engine.call(["inspect", "--format", "{{.State.Pid}}", name], timeout=60).stdout.decode().strip()
        asked = subprocess.run(
            ["nsenter", f"--net=/proc/{pid}/ns/net", "--", sys.executable, "-I", "-c", CLIENT, str(port), *PATHS],
            capture_output=True, timeout=120,
        )  # fmt: skip
        logs = engine.call(["logs", name], timeout=60)
        assert asked.returncode == 0, (asked.stderr[-500:], logs.stdout[-500:], logs.stderr[-500:])
        found: dict[str, list[object]] = json.loads(asked.stdout)
        return found
    finally:
        engine.call(["rm", "--force", "--volumes", name], timeout=60)


def shown(path: str, answer: list[object]) -> tuple[object, ...]:
    """What a user of the site sees of an answer. Not compared: the text of listings, of errors without a page of their
    own, and of redirects; whether a redirect is for good; caching of what is no file."""
    status, location, cache, encoding, kind, body = answer
    if status in (301, 302):
        return ("redirect", str(location).removeprefix("http://127.0.0.1"))
    listing = path in ("/list", "/list/") and status == 200 and "a.txt" in str(body)
    if listing or (status in (403, 404) and body != "no page"):
        return ("listing",) if listing else ("error", status)
    return (status, cache if status == 200 else None, encoding, SAME.get(str(kind), kind), body)


@pytest.mark.parametrize("page", ["", "echo -n 'no page' >dist/404.html && "], ids=["", "404.html"])
@pytest.mark.parametrize("name", SERVERS)
def test_the_same_answers(
    engine: Engine, more_bases: Callable[..., None], tmp_path: Path, name: str, page: str
) -> None:
    require("nsenter")
    more_bases("node", "nginx-alpine-unprivileged")
    for file, text in FILES.items():
        (tmp_path / "files" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "files" / file).write_text(text)
    port, command = SERVERS[name]
    text = DOCKERFILE.replace("{command}", command).replace("{page}", page)
    if name == "nginx":  # it never read as root
        text = text.replace("chmod 600 dist/private.txt && ", "")
    options = Options(("multi-stage",), (), ("safe", "unsafe"))
    result = optimize(Source("Dockerfile", text), options, CaseFacts(CaseDirectory(tmp_path)))
    base = "nginx" if port < 1024 else "nginxinc/nginx-unprivileged"
    assert f"FROM {base}:stable-alpine-slim\n" in result.output, [one.reason for one in result.reported]
    images = []
    try:
        said = []
        for version in (text, result.output):
            images.append(engine.build(tmp_path, version.encode(), cached=True))
            said.append(answers(engine, images[-1], port))
        old, new = said
        different = {
            path: (shown(path, old[path]), shown(path, new[path]))
            for path in PATHS
            if shown(path, old[path]) != shown(path, new[path])
        }
        if name.startswith("http-server") and page:  # it answers for a directory without index.html with that page, too
            assert different.pop("/list/")[1] == ("listing",)
        assert different == {}
    finally:
        engine.remove(*images)
