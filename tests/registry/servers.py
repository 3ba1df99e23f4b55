"""Servers for the registry tests, all on 127.0.0.1 and on free ports: fake ones in threads, and Debian's real one."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"

USER = "robot"
PASSWORD = "pw-Kx81-secret"
# bcrypt, cost 5, of PASSWORD: htpasswd -nbBC 5 robot pw-Kx81-secret
HTPASSWD = "robot:$2y$05$0gChfCwCuosxo9KpSqhNE.SBktLjSdG1sBkK3yqQf7A8vMp.GShcm\n"
IDENTITY = "identity-Zq77-secret"
SECRETS = (
    PASSWORD,
    IDENTITY,
    "signed-Vv90-secret",
    "token-Jj42-secret",
    base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
)


def digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


def manifest(note: str = "") -> bytes:
    """A manifest that no registry needs blobs for: fake servers only."""
    content = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": {}, "layers": [], "annotations": {"n": note}}
    return json.dumps(content).encode()


class Request:
    """What a fake server was sent."""

    def __init__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        split = urlsplit(path)
        self.method = method
        self.target = path
        self.path = split.path
        self.query = {key: values[0] for key, values in parse_qs(split.query).items()}
        self.headers = headers
        self.form = {key: values[0] for key, values in parse_qs(body.decode()).items()}

    def __repr__(self) -> str:
        return f"{self.method} {self.target}"


class Answer:
    def __init__(self, status: int = 200, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.status = status
        self.headers = headers or {}
        self.body = body


def image(body: bytes, media_type: str = OCI_MANIFEST, claim: str | None = None) -> Answer:
    """A manifest as a registry serves it; `claim`: another digest than the body's, "" for none."""
    headers = {"Content-Type": media_type}
    if claim != "":
        headers["Docker-Content-Digest"] = claim or digest(body)
    return Answer(200, headers, body)


class FakeServer:
    """Answers what `respond(request)` returns, and keeps all requests but the first look at /v2/."""

    def __init__(self, respond: Callable[[Request], Answer], tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                sent = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, sent, self.rfile.read(length))
                if request.path == "/v2/":
                    answer = Answer(200)
                else:
                    fake.requests.append(request)
                    answer = respond(request)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body)

            do_GET = do_HEAD = do_POST = handle_any

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_: object) -> None:
                pass  # clients hang up on purpose here

        self.server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        self.scheme = "https" if tls is not None else "http"
        self.url = f"{self.scheme}://{self.host}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def seen(self, method: str | None = None) -> list[str]:
        """Method and path of the requests, in order."""
        return [f"{r.method} {r.path}" for r in self.requests if method in (None, r.method)]


@contextmanager
def raw_server(handle: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """A server that does with each connection what no HTTP server would; yields "host:port"."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    stopping = threading.Event()
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            with suppress(OSError):
                handle(connection, stopping)

    def accept() -> None:
        while not stopping.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            thread = threading.Thread(target=serve, args=(connection,), daemon=True)
            thread.start()
            threads.append(thread)

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopping.set()
        acceptor.join()
        listener.close()


# -- Debian's docker-registry ------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def docker_registry(folder: Path, data: Path, auth: str = "", tls: tuple[Path, Path] | None = None) -> Iterator[str]:
    """A running docker-registry over the storage at `data`; yields "host:port". `auth`: the YAML of that section."""
    folder.mkdir(parents=True, exist_ok=True)
    program = shutil.which("docker-registry")
    assert program is not None
    for _ in range(3):  # a free port may be gone by the time that it is used
        port = free_port()
        certificate = f"\n  tls: {{certificate: {tls[0]}, key: {tls[1]}}}" if tls else ""
        config = folder / "config.yml"
        config.write_text(
            "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
            f"storage:\n  filesystem: {{rootdirectory: {data}}}\n"
            f"http:\n  addr: 127.0.0.1:{port}\n  secret: not-a-secret{certificate}\n{auth}"
        )
        with open(folder / "log", "wb") as log:
            child = subprocess.Popen(
                [program, "serve", str(config)],
                stdout=log,
                stderr=log,
                env={**os.environ, "OTEL_TRACES_EXPORTER": "none"},
            )
        try:
            if _answers(port, child, tls is not None):
                yield f"127.0.0.1:{port}"
                return
        finally:
            child.terminate()
            child.wait(60)
    raise RuntimeError((folder / "log").read_text())


def _answers(port: int, child: subprocess.Popen[bytes], tls: bool) -> bool:
    for _ in range(1200):
        if child.poll() is not None:
            return False
        try:
            connection: http.client.HTTPConnection
            if tls:
                connection = http.client.HTTPSConnection(
                    "127.0.0.1", port, timeout=60, context=ssl._create_unverified_context()
                )
            else:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/v2/")
            status = connection.getresponse().status
            connection.close()
            if status in (200, 401):
                return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


class Pusher:
    """Pushes images by plain HTTP, as the distribution specification says, to an open registry."""

    def __init__(self, host: str, repository: str) -> None:
        self.connection = http.client.HTTPConnection(host, timeout=120)
        self.repository = repository
        self.close = self.connection.close

    def _send(self, method: str, path: str, body: bytes = b"", media_type: str = "") -> http.client.HTTPResponse:
        self.connection.request(method, path, body, {"Content-Type": media_type} if media_type else {})
        answer = self.connection.getresponse()
        answer.read()
        assert answer.status in (201, 202), f"{method} {path}: {answer.status}"
        return answer

    def blob(self, body: bytes, media_type: str) -> dict[str, object]:
        started = self._send("POST", f"/v2/{self.repository}/blobs/uploads/")
        place = urlsplit(started.headers["Location"])
        self._send("PUT", f"{place.path}?{place.query}&digest={digest(body)}", body, "application/octet-stream")
        return {"mediaType": media_type, "digest": digest(body), "size": len(body)}

    def manifest(self, name: str, content: dict[str, object]) -> str:
        body = json.dumps(content).encode()
        media_type = str(content["mediaType"])
        self._send("PUT", f"/v2/{self.repository}/manifests/{name or digest(body)}", body, media_type)
        return digest(body)

    def image(
        self, tag: str, architecture: str, media_type: str = OCI_MANIFEST, settings: dict[str, object] | None = None
    ) -> tuple[str, int]:
        """One platform's image; its digest and size. `tag` empty: by digest only."""
        rootfs = {"type": "layers", "diff_ids": [digest(architecture.encode() * 64)]}
        document = {"os": "linux", "architecture": architecture, "rootfs": rootfs}
        config = json.dumps({**document, **({"config": settings} if settings else {})}).encode()
        kind = "application/vnd.oci.image.config.v1+json"
        layer = "application/vnd.oci.image.layer.v1.tar"
        content: dict[str, object] = {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": self.blob(config, kind),
            "layers": [self.blob(architecture.encode() * 64, layer)],
        }
        return self.manifest(tag, content), len(json.dumps(content).encode())

    def index(self, tag: str, platforms: list[tuple[str, str]]) -> str:
        """An index of (architecture, variant) images, with an attestation as BuildKit adds one."""
        entries: list[dict[str, object]] = []
        for architecture, variant in platforms:
            found, size = self.image("", architecture + variant)
            platform = {"os": "linux", "architecture": architecture, **({"variant": variant} if variant else {})}
            entries.append({"mediaType": OCI_MANIFEST, "digest": found, "size": size, "platform": platform})
        found, size = self.image("", "attestation")
        platform = {"os": "unknown", "architecture": "unknown"}
        entries.append({"mediaType": OCI_MANIFEST, "digest": found, "size": size, "platform": platform})
        return self.manifest(tag, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})


class Stored:
    """What the storage that all real registries share holds."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        with docker_registry(folder / "fill", self.data) as host:
            with closing(Pusher(host, "team/app")) as pusher:
                self.single, _ = pusher.image("1.0", "amd64")
                self.index = pusher.index("multi", [("amd64", ""), ("arm64", "v8"), ("arm", "v7")])
            with closing(Pusher(host, "open/app")) as pusher:
                self.open, _ = pusher.image("1.0", "amd64")


class TokenServer:
    """Issues tokens that docker-registry accepts: JWTs with the signing certificate inside; free for for `open/...`."""

    def __init__(self, certificate: Path, key: Path) -> None:
        pem = certificate.read_text().split("-----")[2]
        self._chain = ["".join(pem.split())]
        self._key = key
        self.fake = FakeServer(self.respond)

    def respond(self, request: Request) -> Answer:
        scope = request.query.get("scope") or request.form.get("scope", "")
        _, repository, actions = scope.split(":")
        basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        sent = request.headers.get("authorization")
        if request.method == "POST":
            known = request.form.get("refresh_token") == IDENTITY
            if request.form.get("grant_type") != "refresh_token" or not request.form.get("client_id"):
                return Answer(400)
        else:
            known = sent == basic
        if (sent or request.method == "POST") and not known:
            return Answer(401, {"WWW-Authenticate": 'Basic realm="tokens"'})
        allowed = actions.split(",") if known or repository.startswith("open/") else []
        access: list[dict[str, object]] = (
            [{"type": "repository", "name": repository, "actions": allowed}] if allowed else []
        )
        service = request.query.get("service") or request.form.get("service", "")
        body = json.dumps({"token": self.token(service, access), "expires_in": 300}).encode()
        return Answer(200, {"Content-Type": "application/json"}, body)

    def token(self, service: str, access: list[dict[str, object]]) -> str:
        now = int(time.time())
        header = {"typ": "JWT", "alg": "RS256", "x5c": self._chain}
        claims = {"iss": "tests", "sub": "", "aud": service, "exp": now + 300, "nbf": now - 10, "iat": now, "jti": "1"}
        signed = b".".join(_url64(json.dumps(part).encode()) for part in (header, {**claims, "access": access}))
        signature = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", str(self._key)], input=signed, capture_output=True, check=True
        ).stdout
        return (signed + b"." + _url64(signature)).decode()


def _url64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


# -- certificates ------------------------------------------------------------------------------------------------------


class Authority:
    """A private CA and a certificate of it for 127.0.0.1, made by the openssl program."""

    def __init__(self, folder: Path) -> None:
        self.ca, ca_key = folder / "ca.crt", folder / "ca.key"
        self.certificate, self.key = folder / "server.crt", folder / "server.key"
        self._openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test CA",
            "-keyout", str(ca_key), "-out", str(self.ca),
        )  # fmt: skip
        request, extension = folder / "server.csr", folder / "server.ext"
        extension.write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        self._openssl(
            "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1",
            "-keyout", str(self.key), "-out", str(request),
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-in", str(request), "-CA", str(self.ca), "-CAkey", str(ca_key), "-CAcreateserial",
            "-days", "2", "-extfile", str(extension), "-out", str(self.certificate),
        )  # fmt: skip

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    @staticmethod
    def _openssl(*arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


# -- time --------------------------------------------------------------------------------------------------------------


class Waits(list[float]):
    """The waits that a client asked for, none of which was waited."""

    async def sleep(self, seconds: float) -> None:
        self.append(seconds)
