import sys
import time
from collections import Counter
from pathlib import Path

import magic


def report(samples, spool):
    kinds = Counter(magic.from_file(str(file), mime=True) for file in samples.iterdir())
    new = spool / "kinds.new"
    new.write_text("".join(f"{kind} {count}\n" for kind, count in sorted(kinds.items())))
    new.rename(spool / "kinds.txt")


while True:
    report(*map(Path, sys.argv[1:]))
    time.sleep(60)
