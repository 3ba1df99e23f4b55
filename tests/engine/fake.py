"""A fake `docker`, `podman` or `buildah`: it writes its command lines to a file, and answers as it is told."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

_PROGRAM = """#!{python}
import json, os, signal, sys, time
folder = {folder!r}
call = [os.path.basename(sys.argv[0]), *sys.argv[1:]]
with open(os.path.join(folder, "calls"), "a") as file:
    file.write(json.dumps(call) + "\\n")
with open(os.path.join(folder, "environments"), "a") as file:
    file.write(json.dumps(dict(os.environ)) + "\\n")
if {{"build", "--file"}} <= set(call):
    for name in (os.path.dirname(call[call.index("--file") + 1]), call[-1]):
        for place, _, names in os.walk(name):
            with open(os.path.join(folder, "read"), "ab") as file:
                for path in [os.path.join(place, name) for name in names]:
                    if os.path.isfile(path) and not os.path.islink(path):  # a build takes a link as a link
                        with open(path, "rb") as content:
                            file.write(content.read())
with open(os.path.join(folder, "answers.json")) as file:
    answers = json.load(file)
for words, answer in answers:
    if all(word in call for word in words):
        break
else:
    answer = {{}}
if answer.get("hang"):
    signal.signal(signal.SIGINT, signal.SIG_IGN if answer["hang"] == "deaf" else signal.SIG_DFL)
    sys.stderr.write("waiting\\n")
    sys.stderr.flush()
    time.sleep(600)
for word in call:
    if word.startswith("type=docker,dest=") or word.endswith(".tar"):
        with open(word.split("dest=")[-1].split(",")[0], "wb") as file:
            if answer.get("archive"):
                with open(answer["archive"], "rb") as image:
                    file.write(image.read())
sys.stderr.write(answer.get("err", ""))
sys.stdout.write(answer.get("out", ""))
sys.exit(answer.get("code", 0))
"""


class Fake:
    """The programs `names` in a folder of their own; `path` is that folder, for PATH."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder = folder
        self.path = folder / "bin"
        self.path.mkdir(parents=True)
        self.answers: list[tuple[list[str], dict[str, object]]] = []
        self._write()
        for name in names:
            program = self.path / name
            program.write_text(_PROGRAM.format(python=sys.executable, folder=str(folder)))
            program.chmod(0o755)

    def answer(self, *words: str, **answer: object) -> None:
        """What a command line that holds all of `words` gets: out, err, code; hang; archive: the file whose copy it
        leaves where it is to write one. Later answers win."""
        self.answers.insert(0, (list(words), answer))
        self._write()

    def _write(self) -> None:
        temporary = self.folder / f"answers.{os.getpid()}"
        temporary.write_text(json.dumps(self.answers))
        temporary.rename(self.folder / "answers.json")

    def calls(self, *words: str) -> list[list[str]]:
        """The command lines so far that hold all of `words`."""
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [call for call in map(json.loads, lines) if all(word in call for word in words)]

    def environments(self) -> list[dict[str, str]]:
        """The environments of all calls so far."""
        file = self.folder / "environments"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def read(self) -> str:
        """What the builds so far could read: their contexts, Dockerfiles and ignore files."""
        file = self.folder / "read"
        return file.read_bytes().decode("utf-8", "replace") if file.exists() else ""
