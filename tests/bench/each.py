"""Start a command once for each file. A program of its own: `python -I -S each.py MODE CODES COUNT CMD... FILE...`.

For programs that take a single file, or stop at the first one that they cannot read. MODE `edit`: the command edits
the file itself, and what it prints is passed on. MODE `print`: what it prints becomes the file, with the line ends at
the end of the file as they were (those are printing's, not the fix's), and the file's name is printed. CODES: exit
codes of a run that did its work, joined by commas. COUNT: number of words of CMD.

A file fails if the command ends with another code or prints a traceback; in MODE `print` it stays as it was then.
Exits with 0, with 2 if some files failed, or with 3 if all did; the last line on stderr says how many, and the first.
The exit of one file never stops the run.
"""

import subprocess
import sys


def one(mode: str, codes: set[int], command: list[str], name: str) -> str:
    """Runs the command on one file; says what went wrong, or nothing."""
    run = subprocess.run([*command, name], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    error = run.stderr.decode("utf-8", "replace").strip()
    if run.returncode not in codes or "Traceback (most recent call last)" in error:
        last = error.rpartition("\n")[2].strip()
        return f"exit {run.returncode}: {last}" if last else f"exit {run.returncode}"
    if mode == "print":
        if not run.stdout:
            return "it printed nothing"
        with open(name, "rb+") as f:
            before = f.read()
            end = before[len(before.rstrip(b"\r\n")) :]
            f.seek(0)
            f.write(run.stdout.rstrip(b"\r\n") + end)
            f.truncate()
    sys.stdout.buffer.write(f"{name}\n".encode() if mode == "print" else run.stdout)
    return ""


def main(argv: list[str]) -> int:
    mode, codes, count = argv[0], {int(code) for code in argv[1].split(",")}, int(argv[2])
    command, names = argv[3 : 3 + count], argv[3 + count :]
    failed = [(name, why) for name in names for why in [one(mode, codes, command, name)] if why]
    if failed:
        print(f"fails on {len(failed)} of {len(names)} files, first {failed[0][0]}: {failed[0][1]}", file=sys.stderr)
    return 0 if not failed else 3 if len(failed) == len(names) else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
