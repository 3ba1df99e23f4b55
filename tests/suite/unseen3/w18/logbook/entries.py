import os
import time
from pathlib import Path

DIRECTORY = Path.home() / "entries"


def write(text):
    number = len(list(DIRECTORY.iterdir()))
    file = DIRECTORY / f"{number:04}"
    file.write_text(text + "\n")
    os.chmod(file, 0o600)
    return number


def read():
    for file in sorted(DIRECTORY.iterdir()):
        when = time.strftime("%d. %B %Y", time.localtime(file.stat().st_mtime)) if file.name == "0000" else "heute"
        yield f"{file.name} {file.owner()} {when}: {file.read_text().strip()}"
