"""Which server an image starts, what it is told, and what is refused: site servers behind npx, scripts and shells."""

from __future__ import annotations

import pytest
from given import Given

from dfopt.ir.program import Program
from dfopt.passes.multi_stage.launch import Launch, launch_of
from dfopt.passes.multi_stage.multi_stage import MultiStage
from dfopt.passes.multi_stage.servers import StaticSite, site_of
from dfopt.refusal import Refusal
from dfopt.syntax.dockerfile import parse

PACKAGE = (
    b'{"scripts": {"start": "serve -s build", "pages": "PORT=81 http-server", "both": "a && serve", "up": "npm start",'
    b' "prebuilt": "true", "built": "serve x", "loop": "npm run loop"}, "devDependencies": {"serve": "14.2.0"}}'
)


def launched(command: str, base: str = "node:22") -> Launch | None:
    program = Program(parse(f"FROM {base}\nWORKDIR /app\nCOPY package.json .\nRUN make\n{command}\n"))
    assert program.final is not None
    facts = Given({"package.json": PACKAGE})
    return launch_of(program, program.final, facts, {"/app/package.json": PACKAGE.decode()}.get)


@pytest.mark.parametrize(
    ("command", "words", "port"),
    [
        ('CMD ["serve", "build"]', ("serve", "build"), ""),
        ('ENTRYPOINT ["npx"]\nCMD ["--yes", "serve@14", "build"]', ("serve", "build"), ""),
        ("CMD npx serve build", ("serve", "build"), ""),
        ("CMD exec serve build", ("serve", "build"), ""),
        ("CMD PORT=80 serve build", ("serve", "build"), "80"),
        ('CMD ["npm", "start"]', ("serve", "-s", "build"), ""),
        ('CMD ["npm", "run", "start", "--", "-l", "80"]', ("serve", "-s", "build", "-l", "80"), ""),
        ('CMD ["yarn", "start", "-l", "80"]', ("serve", "-s", "build", "-l", "80"), ""),
        ('CMD ["npm", "run", "up"]', ("serve", "-s", "build"), ""),
        ('CMD ["npm", "run", "pages"]', ("http-server",), "81"),
        ('CMD ["pnpm", "exec", "serve", "x"]', ("serve", "x"), ""),
        ('CMD ["node", "node_modules/.bin/serve", "x"]', ("serve", "x"), ""),
        ('CMD ["node_modules/.bin/serve", "x"]', ("serve", "x"), ""),
        ("CMD serve -l $PORT", ("serve", "-l", None), ""),
    ],
)
def test_the_program_behind_what_starts_it(command: str, words: tuple[str | None, ...], port: str) -> None:
    found = launched(command)
    assert found is not None
    assert (found.words, found.directory, found.port) == (words, "/app", port)


@pytest.mark.parametrize(
    "command",
    [
        "CMD make && serve build",
        "CMD serve build & nginx",
        "CMD serve build >/var/log/site",
        "CMD NODE_OPTIONS=--inspect serve build",
        'CMD ["npm", "run", "both"]',
        'CMD ["npm", "run", "none"]',
        'CMD ["npm", "run", "loop"]',
        'CMD ["npx"]',
        'CMD ["node", "node_modules/express/index.js"]',
        "EXPOSE 80",
    ],
)
def test_what_is_not_one_program(command: str) -> None:
    assert launched(command) is None


def test_a_directory_is_entered_first() -> None:
    found = launched("CMD cd dist && python3 -m http.server")
    assert found is not None
    assert found.directory == "/app/dist"


def test_a_script_with_a_hook() -> None:
    with pytest.raises(Refusal, match="prebuilt"):
        launched('CMD ["npm", "run", "built"]')


def told(*words: str | None, port: str = "") -> StaticSite | None:
    return site_of(Launch(words, "/app", port))


@pytest.mark.parametrize(
    ("words", "root", "port", "said"),
    [
        (("http-server", "dist"), "/app/dist", 8080, False),
        (("http-server", "-p", "81", "-c-1", "/dist"), "/dist", 81, True),
        (("http-server", "dist", "-p81", "-a", "0.0.0.0", "-s"), "/app/dist", 81, True),
        (("serve",), "/app", 3000, False),
        (("serve", "-sL", "build", "-l", "tcp://0.0.0.0:81"), "/app/build", 81, True),
        (("serve", "--listen=81", "--single", "build"), "/app/build", 81, True),
        (("python3.13", "-u", "-m", "http.server"), "/app", 8000, False),
        (("python", "-m", "http.server", "81", "-d", "x", "--bind", "0.0.0.0"), "/app/x", 81, True),
        (("vite", "preview", "--host"), "/app/dist", 4173, False),
        (("vite", "preview", "--port=81", "--host", "::", "--outDir", "out"), "/app/out", 81, True),
    ],
)
def test_what_a_server_is_told(words: tuple[str, ...], root: str, port: int, said: bool) -> None:
    site = told(*words)
    assert site is not None
    assert (site.root, site.port, site.said) == (root, port, said)


def test_options_change_the_answers() -> None:
    def answers(*words: str) -> dict[str, object]:
        site = told(*words)
        assert site is not None
        return dict(site.answers)

    assert answers("serve", "x")["rules"] == "clean"
    assert (answers("serve", "-s", "x")["rules"], answers("serve", "-s", "x")["listing"]) == ("single", False)
    assert (answers("serve", "x")["gzip"], answers("serve", "-u", "x")["gzip"]) == (True, False)
    assert (answers("serve", "x")["modified"], answers("serve", "--no-etag", "x")["modified"]) == (False, True)
    assert answers("http-server", "x")["cache"] == "max-age=3600"
    assert answers("http-server", "-c", "10", "x")["cache"] == "max-age=10"
    assert answers("http-server", "x", "-d", "false")["listing"] is False


@pytest.mark.parametrize(
    "words", [("python", "x.py"), ("vite", "build"), ("vite",), ("http.server",), ("nginx",), (None,)]
)
def test_what_is_no_server(words: tuple[str | None, ...]) -> None:
    assert told(*words) is None


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("http-server", "-P", "http://api/"), "-P does is not followed"),
        (("http-server", "--proxy=http://api/"), "--proxy does is not followed"),
        (("http-server", "-s", "dist"), "takes dist for the value of -s"),
        (("http-server", "-S"), "-S does is not followed"),
        (("http-server", "a", "b"), "the word b"),
        (("http-server", "-p"), "-p has no value"),
        (("http-server", "-a", "127.0.0.1"), "127.0.0.1 alone"),
        (("serve", "-c", "../serve.json"), "-c does is not followed"),
        (("serve", "-l", "unix:/run/x"), "where serve listens"),
        (("serve", "-l", "80", "-l", "81"), "where serve listens"),
        (("serve", "-l", None), "not fixed"),
        (("serve", None), "not fixed"),
        (("serve", "--cors"), "--cors does is not followed"),
        (("python", "-m", "http.server", "--cgi"), "--cgi does is not followed"),
        (("python", "-m", "http.server", "-b", "127.0.0.1"), "127.0.0.1 alone"),
        (("vite", "preview"), "localhost alone"),
        (("vite", "preview", "--host", "0.0.0.0", "--mode", "x"), "--mode does is not followed"),
        (("python", "-m", "http.server", "70000"), "not understood"),
    ],
)
def test_what_is_not_done_alike(words: tuple[str | None, ...], reason: str) -> None:
    with pytest.raises(Refusal, match=reason):
        told(*words)


def test_a_version_that_nobody_looked_at() -> None:
    with pytest.raises(Refusal, match="http-server 0"):
        site_of(Launch(("http-server", "x"), "/", version="^0.12.3"))


SITE = """\
FROM node:22
WORKDIR /app
COPY . .
RUN npm install && npm run build
EXPOSE 3000
CMD ["npx", "serve", "-l", "3000", "out"]
"""


def refusal(text: str, files: dict[str, bytes] | None = None) -> str:
    """Why a file keeps its server."""
    given = files or {"package.json": b'{"scripts": {"build": "node build.js"}}', "build.js": b""}
    (finding,) = MultiStage().find(Program(parse(text)), Given(given))
    if "run on nginx" in finding.message:
        return ""
    assert finding.reason or "(not on nginx: " in finding.message, finding
    return finding.reason + finding.message.partition("(not on nginx: ")[2]


def test_nothing_is_refused_here() -> None:
    assert refusal(SITE) == ""


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"npx", "serve"', '"npx", "serve@6"', "how serve 6 answers"),
        ('"-l", "3000", ', "", ""),
        ('"-l", "3000", "out"]', '"out"]\nENV PORT=5000', "where the variable PORT says"),
        ('"out"]', '"out"]\nSTOPSIGNAL SIGHUP', "STOPSIGNAL SIGHUP"),
        ('"out"]', '"/etc/site"]', "where images have files of their own"),
        ('"out"]', '"/usr/share/nginx/html"]', "where images have files of their own"),
        ('"out"]', '"/nowhere"]', "no step makes /nowhere"),
        ('"out"]', '"o t"]', "unusual characters"),
        ("FROM node:22\n", "# syntax=docker/dockerfile:1.3\nFROM node:22\n", "1.3 has no COPY of a text"),
        ("CMD", "HEALTHCHECK CMD wget -q -t 1 http://127.0.0.1:3000\nCMD", "does not know -t"),
        ("CMD", "HEALTHCHECK CMD wget -q http://localhost:3000\nCMD", "IPv6 alone"),
        ("&& npm run build", "&& npm run build && chmod 600 out/a\nUSER node", "sets who may read"),
        ("CMD", "HEALTHCHECK CMD ./check.sh\nCMD", "no check.sh"),
    ],
)
def test_what_keeps_the_server(old: str, new: str, reason: str) -> None:
    assert old in SITE
    said = refusal(SITE.replace(old, new, 1))
    assert reason in said
    assert bool(reason) == bool(said)


def test_a_server_for_developers_stays() -> None:
    given = {"package.json": b'{"devDependencies": {"vite": "^2.0.0"}}', "index.html": b""}
    (finding,) = MultiStage().find(
        Program(parse(SITE.replace('"npx", "serve", "-l", "3000", "out"', '"vite"'))), Given(given)
    )
    assert "vite" not in finding.message + finding.reason


def test_another_program_of_the_name() -> None:
    text = SITE.replace('"npx", ', "")
    given = {"package.json": b'{"scripts": {"build": "node build.js"}}', "build.js": b""}
    (finding,) = MultiStage().find(Program(parse(text)), Given(given))
    assert "nginx" not in finding.message + finding.reason
    more = text.replace("RUN npm install", "RUN npm install --global serve@14")
    (finding,) = MultiStage().find(Program(parse(more)), Given(given))
    assert "run on nginx" in finding.message
    given["package.json"] = b'{"dependencies": {"serve": "^14.0.0"}, "scripts": {"build": "node build.js"}}'
    (finding,) = MultiStage().find(Program(parse(text)), Given(given))
    assert "run on nginx" in finding.message


def test_an_option_keeps_the_server() -> None:
    files = {"package.json": b'{"scripts": {"build": "node build.js"}}', "build.js": b""}
    (finding,) = MultiStage({"base": "slim"}).find(Program(parse(SITE)), Given(files))
    assert "nginx" not in finding.message


def test_users_of_low_ports() -> None:
    files = {"package.json": b"{}"}
    low = SITE.replace("3000", "80").replace("RUN", "RUN true;")
    for user, image in (("", "run on nginx:"), ("USER node\n", "run on nginxinc/nginx-unprivileged:")):
        (finding,) = MultiStage().find(Program(parse(low.replace("EXPOSE", user + "EXPOSE"))), Given(files))
        assert image in finding.message
