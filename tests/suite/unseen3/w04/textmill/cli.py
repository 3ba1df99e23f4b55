import argparse
import importlib
import sys
from pathlib import Path

import yaml

CONFIG = Path(__file__).resolve().parent.parent / "mills.yml"


def chain(names):
    """The mills of that name, each a function of a text."""
    known = yaml.safe_load(CONFIG.read_text())
    for name in names:
        if name not in known:
            sys.exit(f"textmill: no mill {name}; there are: {', '.join(known)}")
        settings = dict(known[name])
        module = importlib.import_module("textmill.mills." + settings.pop("module"))
        yield module.Mill(**settings)


def main():
    parser = argparse.ArgumentParser(prog="textmill")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("mills", nargs="*")
    given = parser.parse_args()
    if given.list:
        print(*yaml.safe_load(CONFIG.read_text()), sep="\n")
        return
    text = sys.stdin.read()
    for mill in chain(given.mills):
        text = mill(text)
    sys.stdout.write(text)
