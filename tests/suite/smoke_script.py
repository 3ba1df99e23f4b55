"""The smoke test of an application as a program for `--smoke-script`: `python -m suite.smoke_script DIRECTORY`.

Asks the image that $DFOPT_IMAGE names, in the engine at $DOCKER_HOST. Status 1, and what went wrong on standard output,
where it does not do what the application must do.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from realbuild.engine import Engine

from .apps import load_app
from .smoke import smoke


def main() -> int:
    engine = Engine(os.environ["DOCKER_HOST"])
    try:
        failures = smoke(engine, load_app(Path(sys.argv[1])), os.environ["DFOPT_IMAGE"])
    finally:
        engine.close()
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
