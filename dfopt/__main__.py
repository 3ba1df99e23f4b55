"""`python -m dfopt`."""

import sys

from dfopt.cli.entry import main

if __name__ == "__main__":  # a process pool's child imports this module under another name
    sys.exit(main())
