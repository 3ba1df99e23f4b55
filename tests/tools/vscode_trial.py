"""The VS Code extension in a real VS Code: code-server, driven in headless Chromium, on a file with emoji and CRLF.

    python -m tests.tools.vscode_trial DIRECTORY

DIRECTORY keeps the npm packages code-server and playwright-core (about 1 GB, installed there if they are missing; that
needs a C++ compiler, and libkrb5-dev, libx11-dev and libxkbfile-dev), and the screens found.png and fixed.png. Node 20
and Chromium (/usr/bin/chromium, or $CHROMIUM) are needed.

0: what was saved is, byte for byte, what `dfopt fix` writes. 1: it is not.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DRIVER = Path(__file__).with_suffix(".js")
TEXT = (
    "# \U0001f680 emoji first\r\nFROM debian:13-slim\r\n# \U0001f680\U0001f680\r\n"
    'RUN echo "\U0001f680" && apt-get update && apt-get install -y --no-install-recommends curl\r\n'
).encode()
# what code-server's own install script compiles and its server loads; the script also downloads what no registry has
_NATIVE = ("node-pty", "@vscode/spdlog", "@parcel/watcher", "native-watchdog", "kerberos")


def npm(place: Path, *words: str, must: bool = True) -> None:
    done = subprocess.run(["npm", *words], cwd=place, capture_output=True, text=True, check=False)
    if must and done.returncode:
        raise SystemExit(f"npm {' '.join(words)}: {done.stderr[-2000:]}")


def install(place: Path) -> Path:
    """The entry point of code-server in a directory."""
    entry = place / "node_modules" / "code-server" / "out" / "node" / "entry.js"
    if not entry.exists():
        place.mkdir(parents=True, exist_ok=True)
        npm(place, "init", "--yes")
        npm(place, "install", "--ignore-scripts", "code-server", "playwright-core")
        npm(place, "rebuild", "argon2")
        vscode = entry.parents[2] / "lib" / "vscode"
        npm(vscode, "install", "--ignore-scripts", "--omit=dev")
        for name in _NATIVE:
            npm(vscode, "rebuild", name, must=False)  # its own script may fail after it was compiled
        npm(vscode / "extensions", "install", "--ignore-scripts", "--omit=dev")
    return entry


def package(place: Path) -> Path:
    """The extension, as it is published."""
    shutil.copytree(ROOT / "editors" / "vscode", place, ignore=shutil.ignore_patterns("node_modules", "dist", "*.vsix"))
    shutil.copy(ROOT / "LICENSE", place)
    npm(place, "install", "--no-audit", "--no-fund")
    npm(place, "run", "package")
    return place / "dfopt.vsix"


def fixed(work: Path) -> bytes:
    """What `dfopt fix` makes of TEXT."""
    (work / "Dockerfile").write_bytes(TEXT)
    subprocess.run([sys.executable, "-m", "dfopt", "fix", "-q", "--write", "Dockerfile"], cwd=work, check=True)
    return (work / "Dockerfile").read_bytes()


def main() -> int:
    place = Path(sys.argv[1]).resolve()
    entry = install(place)
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        expected, folder, user = home / "expected", home / "folder", home / "data" / "User"
        for directory in (expected, folder, user):
            directory.mkdir(parents=True)
        wanted = fixed(expected)
        (folder / "Dockerfile").write_bytes(TEXT)
        settings = {"dfopt.command": [sys.executable, "-m", "dfopt", "lsp"], "workbench.startupEditor": "none"}
        (user / "settings.json").write_text(json.dumps(settings))
        environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT)}
        server = [
            "node",
            str(entry),
            "--user-data-dir",
            str(home / "data"),
            "--extensions-dir",
            str(home / "extensions"),
        ]
        vsix = package(home / "vscode")
        subprocess.run([*server, "--install-extension", str(vsix)], env=environment, check=True, capture_output=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        offline = ["--auth", "none", "--disable-telemetry", "--disable-update-check", "--disable-workspace-trust"]
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                [*server, *offline, "--bind-addr", f"127.0.0.1:{port}"], env=environment, stdout=log, stderr=log
            )
        try:
            while process.poll() is None and socket.socket().connect_ex(("127.0.0.1", port)):
                time.sleep(0.2)
            driver = shutil.copy(DRIVER, place)  # where its package is found
            url = f"http://127.0.0.1:{port}/?folder={folder}"
            done = subprocess.run(["node", driver, url, str(place)], check=False).returncode
        finally:
            process.terminate()
            process.wait(30)
        same = (folder / "Dockerfile").read_bytes() == wanted != TEXT
        print("saved as `dfopt fix` writes it" if same else (folder / "Dockerfile").read_bytes())
        return 0 if same and done == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
