"""BuildKit itself as the judge of tests: a client of the Go program in tests/oracle/.

The program is built once from the BuildKit source that Debian packages, and kept in ~/.cache/dfopt-oracle. Each kind of
question has one process that lives as long as the `Oracle`, so a question costs a line through a pipe.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

SOURCE = Path(__file__).parent / "oracle"
BUILDKIT = Path("/usr/share/gocode/src/github.com/moby/buildkit")
DOCKERFILE = BUILDKIT / "frontend" / "dockerfile"  # BuildKit's own test data lies below it
PACKAGES = "golang-go golang-github-docker-docker-dev golang-github-docker-buildx-dev"


class OracleMissing(Exception):
    """The oracle cannot be built here; the message says what to install."""


class OracleError(Exception):
    """The oracle was built but did not answer; the message holds what it printed."""


def require_buildkit() -> Path:
    """BuildKit's `frontend/dockerfile` directory. Raises OracleMissing."""
    if shutil.which("go") is None or not (DOCKERFILE / "parser" / "parser.go").is_file():
        raise OracleMissing(f"BuildKit's parser cannot be built here; apt-get install {PACKAGES}")
    return DOCKERFILE


def build() -> Path:
    """The oracle program, compiled if it is not in the cache. Raises OracleMissing, or OracleError if that fails."""
    buildkit = require_buildkit()
    key = hashlib.sha256()
    for path in (*sorted(SOURCE.iterdir()), *(buildkit / "parser" / n for n in ("parser.go", "line_parsers.go")),
                 buildkit / "shell" / "lex.go", buildkit / "instructions" / "parse.go"):  # fmt: skip
        key.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    cache = Path.home() / ".cache" / "dfopt-oracle"
    cache.mkdir(parents=True, exist_ok=True)
    program = cache / f"oracle-{key.hexdigest()[:16]}"
    with (cache / "lock").open("w") as lock:  # two test runs at once build it once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            made = program.with_suffix(".new")
            run = subprocess.run([SOURCE / "build.sh", made], capture_output=True, text=True, check=False)
            if run.returncode:
                raise OracleError(f"tests/oracle/build.sh failed:\n{run.stderr.strip()}")
            made.replace(program)
    return program


class _Pipe:
    """One running oracle process: a line in, a line out."""

    def __init__(self, program: Path, mode: str) -> None:
        self.errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        self.process = subprocess.Popen(
            [program, mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors
        )

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            self.process.wait()
            self.errors.seek(0)
            printed = self.errors.read().decode("utf-8", "replace")
            raise OracleError(f"the oracle ended with {self.process.returncode}: {printed[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it has ended already
                self.process.stdin.close()
        self.process.wait(timeout=60)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.errors.close()


class Oracle:
    """BuildKit's answers. An answer with "err" says that BuildKit refuses; "PANIC: ..." there, that it crashes.

    Undecodable bytes come back as U+FFFD. Lines count from 1. To be closed, or used in a `with` statement."""

    def __init__(self) -> None:
        self.program = build()
        self._pipes: dict[str, _Pipe] = {}

    def _ask(self, mode: str, request: dict[str, Any]) -> dict[str, Any]:
        pipe = self._pipes.get(mode)
        if pipe is None:
            pipe = self._pipes[mode] = _Pipe(self.program, mode)
        try:
            return pipe.ask(request)
        except OracleError:
            del self._pipes[mode]  # the next question starts a new process
            pipe.close()
            raise

    def parse(self, source: bytes) -> dict[str, Any]:
        """The AST ("ast", "escape", "warnings") or the parser's "err" with its "err_lines"; then "stages" and
        "meta_args", or the instruction parser's "inst_err" with "inst_err_lines" (lists of [first, last])."""
        return self._ask("batch", {"src": base64.b64encode(source).decode()})

    def llb(self, source: bytes, target: str | None = None) -> dict[str, Any]:
        """What the file builds: "head" (digest of the whole build graph; equal heads, equal builds), "ops" as text and
        "image" (the image config), or "err". `target` is a stage; None means the last."""
        return self._ask("llbbatch", {"src": base64.b64encode(source).decode(), "target": target or ""})

    def graph(self, source: bytes, target: str | None = None) -> dict[str, Any]:
        """What a build of the file runs: "graph", a list of operations with "digest", "inputs" and "op" (null for the
        last, whose input is the result), each after its inputs; and "image" (the image config); or "err"."""
        return self._ask("graph", {"src": base64.b64encode(source).decode(), "target": target or ""})

    def words(
        self,
        word: str,
        env: Iterable[str] = (),
        *,
        escape: str = "\\",
        raw_quotes: bool = False,
        raw_escapes: bool = False,
        skip_quotes: bool = False,
        skip_unset: bool = False,
    ) -> dict[str, Any]:
        """Word expansion: "result" (one word) and "words" (split; None for no word), or "err". `env`: NAME=value."""
        return self._ask("words", {
            "word": word, "env": list(env), "escape": escape, "raw_quotes": raw_quotes, "raw_escapes": raw_escapes,
            "skip_quotes": skip_quotes, "skip_unset": skip_unset,
        })  # fmt: skip

    def image(self, name: str) -> dict[str, Any]:
        """An image name's "domain", "path", "tag", "digest", "normalized" and "familiar" form, or "err"."""
        return self._ask("images", {"name": name})

    def ignore(self, content: bytes, files: Iterable[str]) -> dict[str, Any]:
        """What a .dockerignore leaves of a build context with these files: "left" (sorted as walked) and "patterns",
        or "err" where the build would fail."""
        return self._ask("ignore", {"src": base64.b64encode(content).decode(), "files": list(files)})

    def match(self, pattern: str, name: str) -> dict[str, Any]:
        """Go's filepath.Match: "match" (bool), or "err" for a malformed pattern."""
        return self._ask("match", {"pattern": pattern, "name": name})

    def close(self) -> None:
        for pipe in self._pipes.values():
            pipe.close()
        self._pipes.clear()

    def __enter__(self) -> Oracle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


__all__ = ["BUILDKIT", "DOCKERFILE", "PACKAGES", "Oracle", "OracleError", "OracleMissing", "build", "require_buildkit"]
