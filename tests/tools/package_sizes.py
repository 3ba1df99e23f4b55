"""Makes dfopt/knowledge/package_sizes.toml from the package lists of a Debian machine.

`python -m tests.tools.package_sizes` reads apt's list of the release's main component (run `apt-get update` before).
For each package that people install in Dockerfiles: the packages that come with it on the release's minimal image, the
large ones by name.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

TABLE = Path(__file__).parents[2] / "dfopt" / "knowledge" / "package_sizes.toml"
# What Dockerfiles install most often, by counting words behind `apt-get install` in some thousand public ones.
POPULAR = """
build-essential gcc g++ make cmake automake autoconf libtool pkg-config git curl wget ca-certificates gnupg gnupg2
unzip zip xz-utils bzip2 tar gzip rsync openssh-client openssh-server sudo vim nano less jq procps net-tools iputils-
ping dnsutils netcat-openbsd telnet lsb-release software-properties-common apt-transport-https apt-utils locales
tzdata python3 python3-pip python3-dev python3-venv python3-setuptools python3-wheel python-is-python3 perl ruby ruby-
dev nodejs npm golang golang-go rustc cargo default-jdk default-jdk-headless default-jre default-jre-headless
openjdk-21-jdk openjdk-21-jre openjdk-21-jdk-headless openjdk-21-jre-headless openjdk-25-jdk openjdk-25-jre maven
gradle ant php php-cli php-fpm composer libssl-dev libffi-dev zlib1g-dev libbz2-dev libreadline-dev libsqlite3-dev
liblzma-dev libncurses-dev libxml2-dev libxslt1-dev libpq-dev libmariadb-dev libcurl4-openssl-dev libjpeg-dev libpng-
dev libfreetype-dev libgl1 libglib2.0-0 libsm6 libxext6 libxrender1 libgomp1 libc6-dev linux-libc-dev binutils clang
llvm lld gdb valgrind strace ninja-build meson flex bison gfortran libopenblas-dev liblapack-dev libatlas-base-dev
libhdf5-dev ffmpeg imagemagick graphviz ghostscript poppler-utils tesseract-ocr chromium firefox-esr xvfb fonts-
liberation postgresql-client default-mysql-client mariadb-client redis-tools sqlite3 nginx apache2 supervisor cron
tini dumb-init gettext gettext-base file patch diffutils texinfo doxygen texlive-latex-base pandoc subversion
mercurial socat libboost-all-dev libboost-dev libeigen3-dev libopencv-dev protobuf-compiler libprotobuf-dev swig
cython3
""".split()  # noqa: SIM905  # a list of words
_LARGE = 1000  # kB: smaller ones are summed up


def packages(release: str) -> dict[str, dict[str, str]]:
    """Every package of the release, by name: from Debian's own list alone, whatever else the machine is set up with."""
    lists = sorted(Path("/var/lib/apt/lists").glob(f"*_dists_{release}_main_binary-amd64_Packages*"))
    command = ["/usr/lib/apt/apt-helper", "cat-file", *map(str, lists)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout if lists else ""
    found: dict[str, dict[str, str]] = {}
    for block in text.split("\n\n"):
        fields = dict(re.findall(r"^([A-Z][\w-]*): (.*)$", block, re.M))
        if "Package" in fields and fields.get("Architecture") in ("amd64", "all"):
            found.setdefault(fields["Package"], fields)
    return found


class Archive:
    def __init__(self, release: str) -> None:
        self.packages = packages(release)
        self.providers: dict[str, str] = {}
        for name, fields in self.packages.items():
            for provided in self.names(fields.get("Provides", "")):
                self.providers.setdefault(provided, name)
        roots = [
            name
            for name, fields in self.packages.items()
            if fields.get("Essential") == "yes" or fields.get("Priority") == "required" or name == "apt"
        ]
        self.minimal: frozenset[str] = frozenset()
        self.minimal = frozenset(self.closure(roots, recommends=False))

    @staticmethod
    def names(field: str) -> Iterator[str]:
        """The first alternative of each dependency."""
        for clause in field.split(","):
            name = re.match(r"\s*([a-z0-9][a-z0-9.+-]*)", clause)
            if name:
                yield name[1]

    def closure(self, roots: list[str], *, recommends: bool) -> set[str]:
        """The packages that installing `roots` brings, but for those of the minimal image."""
        seen: set[str] = set()
        queue = list(roots)
        while queue:
            name = queue.pop()
            name = name if name in self.packages else self.providers.get(name, "")
            if not name or name in seen or name in self.minimal:
                continue
            seen.add(name)
            fields = self.packages[name]
            for key in ("Depends", "Pre-Depends", *(("Recommends",) if recommends else ())):
                queue += self.names(fields.get(key, ""))
        return seen

    def size(self, name: str) -> int:
        """kB, as installed."""
        return int(self.packages[name].get("Installed-Size", "0"))


def main() -> int:
    release = re.search(r"VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text())
    archive = Archive(release[1] if release else "")
    if release is None or not archive.packages:
        print("package_sizes: no release, or no package lists: run apt-get update first", file=sys.stderr)
        return 1
    large: dict[str, int] = {}
    rows: list[str] = []
    for name in sorted(set(POPULAR)):
        if name not in archive.packages:
            continue
        plain, whole = (archive.closure([name], recommends=wanted) for wanted in (False, True))
        columns: list[str] = []
        for chosen in (plain, whole - plain):
            big = sorted(one for one in chosen if archive.size(one) >= _LARGE)
            large.update({one: archive.size(one) for one in big})
            rest = sum(archive.size(one) for one in chosen if one not in big)
            columns.append(json.dumps([rest, *big]))
        rows.append(f'"{name}" = [{", ".join(columns)}]')
    TABLE.write_text(
        f"""# How many kB a package of Debian takes in an image, with all that it brings on the release's minimal image.
# Source: Installed-Size, Depends and Recommends of the package lists of {release[1]}, first alternatives,
# {date.today()}; made by tests/tools/package_sizes.py. Other releases, and Ubuntu, differ by some per cent: these are
# estimates.
#
# [package]  name = [what it depends on, what it recommends beyond that]; each: the kB of all small packages together,
#            then the names of the large ones
# [large]    kB of those
release = "{release[1]}"

[package]
"""
        + "\n".join(rows)
        + "\n\n[large]\n"
        + "".join(f'"{name}" = {size}\n' for name, size in sorted(large.items())),
        encoding="utf-8",
    )
    print(f"{len(rows)} packages, {len(large)} large ones")
    return 0


if __name__ == "__main__":
    sys.exit(main())
