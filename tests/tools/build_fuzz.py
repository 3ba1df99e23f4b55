"""Makes Dockerfiles at random, rewrites them with every pass that needs no network, and builds both.

    DOCKER_HOST=ADDRESS python tests/tools/build_fuzz.py [--count N] [--seed N] [--unsafe] [--must PASS] [--keep DIR]

The files write, copy, move, delete and change the same few paths over and over, under changing directories, users,
shells, variables and umasks, so that a rewrite which moves anything out of its place leaves another image. What must be
0: files that no longer build, images that differ in what no fix declared, and tracebacks. A file that does not build as
it is tells nothing. The seed of each file is printed with its failure; --seed and --count 1 repeat it alone, --keep
writes it and what became of it to a directory.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tarfile
import tempfile
import traceback
from collections import Counter
from pathlib import Path

from dfopt.engine.find import find_engine
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.proof import Lab, ProofError, ProofSettings
from dfopt.proof.differences import declarations_of
from dfopt.proof.verdict import build_original, compare_with_original
from dfopt.source import Source, encode
from dfopt.workspace.facts import ContextFacts

MUST_BE_ZERO = ("no longer builds", "differs undeclared", "second run changes", "traceback")
PASSES = (
    "merge-run", "dead-files", "copy-mode", "add-to-copy", "cd-to-workdir", "exec-form", "legacy-env-label",
    "keyword-case", "stage-name-case", "from-as-case", "empty-continuation", "duplicate-instruction",
    "maintainer-to-label", "sort-packages",
)  # fmt: skip
LOOKS = {"keyword-case", "stage-name-case", "from-as-case", "empty-continuation"}
UNSAFE = ("flatten",)
BASES = ("busybox:1.37", "alpine:3.22", "debian:13-slim")
FILES = ("a.txt", "b.sh", "we ird.txt", "conf/x.conf", "conf/sub/y", "data.tar.gz")
DIRECTORIES = ("/srv", "/opt/app", "/tmp", "/work", "/srv/conf", "/etc/app")
NAMES = ("a.txt", "b.sh", "out", "x.conf", "t 1", "data.tar.gz", "new/deep")
JOINTS = (" && ", " && ", " && \\\n    ", " \\\n && ", "; ", " ; \\\n", " || ", " && \\\n# why\n    ")
# Most commands find what they work on.
FILL = (
    f"RUN for d in {' '.join(DIRECTORIES)}; do mkdir -p $d/new; "
    "for f in a.txt b.sh out x.conf 't 1' new/deep; do echo $d > \"$d/$f\"; done; chmod -R 777 $d; done"
)
USERS = ("0", "1000", "1000:1000", "root", "nobody")


def make_context(root: Path) -> None:
    for name in FILES[:-1]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"#!/bin/sh\necho {name}\n")
    (root / "b.sh").chmod(0o755)
    (root / "conf/x.conf").chmod(0o600)
    with tarfile.open(root / "data.tar.gz", "w:gz") as archive:
        archive.add(root / "conf", "conf")


class Maker:
    """One random file."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.stages: list[str] = []

    def one(self, *choices: str) -> str:
        return self.random.choice(choices)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def path(self) -> str:
        name = self.one(*NAMES)
        if self.chance(0.2):
            return name
        if self.chance(0.1):
            return f"$DIR/{name}"
        return f"{self.one(*DIRECTORIES)}/{name}"

    def word(self, path: str) -> str:
        return f'"{path}"' if " " in path or self.chance(0.15) else path

    def command(self) -> str:
        path, other = self.word(self.path()), self.word(self.path())
        directory = self.one(*DIRECTORIES)
        mode = self.one("644", "755", "0600", "u+x", "go-r", "a+rX", "4755", "g+s")
        return self.one(
            f"echo {self.one('1', '$FOO', '$PWD', '$HOME', '`pwd`', '$(id -u)', '${BAR:-none}')} > {path}",
            f"echo more >> {path}", f"rm -f {path}", f"rm {path}", f"rm -rf {directory}", f"mkdir -p {directory}",
            f"mkdir -p {directory} && cd {directory}", f"cd {directory}", f"cp {path} {other}", f"mv {path} {other}",
            f"chmod {mode} {path}", f"chmod -R {mode} {directory}", f"chown 1000:1000 {path}",
            f"chown -R nobody {directory}", f"ln -sf {path} {other}", f"ln {path} {other}", f"cat {path} > {other}",
            f"test -e {path}", f"[ -f {path} ] && echo there > {other}", f"touch {path}", "export FOO=2", "BAR=3",
            f"FOO=4 sh -c 'echo $FOO' > {path}", "umask 077", "set -e", "set -x", "set +e", "false", "true", ":",
            f"for i in 1 2; do echo $i >> {path}; done", f"if [ -e {path} ]; then rm {path}; else touch {other}; fi",
            f"(cd {directory} && pwd > {path})", f"{{ echo x; echo y; }} > {path}", f"! test -e {path}",
            f"echo hi | tee {path}", f"false | cat > {path}", f"tar -xzf {path} -C {directory}", f"env > {path}",
            f"f() {{ echo in > {path}; }}; f", f"sleep 0 & wait; echo waited > {path}", "exit 0",
            f"id -un > {path} 2>/dev/null", f"find {directory} -type f | sort > {path}",
        )  # fmt: skip

    def body(self) -> str:
        count = self.random.randint(1, 4)
        text = self.command()
        for _ in range(count - 1):
            text += self.one(*JOINTS) + self.command()
        return text + self.one("", "", "", " || true", "; true", " ")

    def run(self) -> str:
        options = self.one("", "", "", "", "--network=none ", "--mount=type=tmpfs,target=/scratch ")
        kind = self.random.random()
        if kind < 0.1:
            lines = "\n".join(self.command() for _ in range(self.random.randint(1, 4)))
            mark = self.one("EOF", "'EOF'", "-EOF")
            return f"{self.keyword('RUN')} {options}<<{mark}\n{lines}\nEOF"
        if kind < 0.16:
            return f'RUN {options}["sh", "-c", "echo exec > {self.path()}"]'
        return f"{self.keyword('RUN')} {options}{self.body()}"

    def keyword(self, word: str) -> str:
        return word.lower() if self.chance(0.05) else word

    def copy(self) -> str:
        keyword = self.one("COPY", "COPY", "COPY", "ADD")
        options = self.one("", "", "", "--chown=1000:1000 ", "--chmod=755 ", "--chown=nobody ", "--link ")
        if self.stages and self.chance(0.25):
            return f"COPY --from={self.one(*self.stages)} /srv {self.one('/srv', '/opt/app/', 'got/')}"
        if self.chance(0.15):
            return f"{keyword} {options}conf {self.one(*DIRECTORIES)}{self.one('', '/')}"
        if self.chance(0.12):
            return f'{keyword} {options}["we ird.txt", "{self.path()}"]'
        if self.chance(0.12):
            return f"{keyword} {options}a.txt b.sh conf/x.conf {self.one(*DIRECTORIES)}/"
        source = self.one("a.txt", "b.sh", "conf/x.conf", "*.txt", "data.tar.gz")
        target = self.path().replace(" ", "_")
        return f"{keyword} {options}{source} {self.one(target, target, self.one(*DIRECTORIES) + '/')}"

    def scene(self) -> str:
        """Steps that a pass may have work with, perhaps with something in between."""
        directory, path = self.one(*DIRECTORIES), self.path().replace(" ", "_")
        mode = self.one("755", "0640", "+x", "777")
        between = self.one("", "", "", self.step() + "\n")
        owner = self.one("1000:1000", "1000", "nobody", "0:0")
        source = self.one("a.txt", "b.sh", "conf/x.conf")
        archive = self.one("data.tar.gz", "*.gz", "./data.tar.gz")
        return self.one(
            f"COPY {source} {path}\n{between}RUN chmod {mode} {path}",
            f"COPY {source} {path}\n{between}RUN chown {owner} {path} && chmod {mode} {path}",
            f"COPY conf {directory}/c\n{between}RUN chown -R {owner} {directory}/c",
            f"COPY {archive} {directory}/x.tgz\n{between}RUN cd {directory} && tar -xzf x.tgz && rm x.tgz",
            f"COPY {archive} {directory}/\n{between}RUN cd {directory} && tar -xzf *.gz\nRUN rm {directory}/*.gz",
            f"COPY {source} b.sh /tmp/\n{between}RUN sh /tmp/b.sh > {path}; rm -f /tmp/b.sh /tmp/a.txt",
            f"RUN echo long > {path}\n{between}RUN {self.command()}\nRUN rm {path}",
            f"RUN echo one > {path}\n{between}RUN echo two > {path}",
            f"RUN cd {directory} && {self.command()}\n{between}RUN {self.command()}",
            f"WORKDIR {directory}\n{between}RUN cd new && {self.command()}",
            f"COPY {source} {path}\n{between}COPY b.sh {path}",
            f"RUN mkdir -p {directory}/m\n{between}RUN chmod 700 {directory}/m && chown {owner} {directory}/m",
            f"RUN tar -xzf {path} -C {directory} || true\n{between}RUN rm -rf {directory}",
            f"COPY b.sh /tmp/s.sh\n{between}RUN sh /tmp/s.sh > {path}\nRUN rm /tmp/s.sh",
            f"COPY conf /tmp/conf\n{between}RUN cp -r /tmp/conf/. {directory} && rm -rf /tmp/conf",
            f"COPY a.txt b.sh /tmp/in/\n{between}RUN cat /tmp/in/* > {path} && rm -r /tmp/in",
            f"COPY *.txt /tmp/t/\n{between}RUN cat /tmp/t/a.txt > {path} && rm -rf /tmp/t",
            f"COPY {archive} /tmp/x.tgz\n{between}RUN tar -xzf /tmp/x.tgz -C {directory}\nRUN rm -f /tmp/x.tgz {path}",
            f"RUN echo long > {path}\nENV FOO=9 X=$FOO\n{between}WORKDIR {directory}\nRUN rm {path}; echo $X",
            f"RUN echo long > {path} && echo b > {directory}/b\n{between}COPY a.txt {path}\nRUN rm -f {directory}/b",
        )  # fmt: skip

    def step(self) -> str:
        if self.chance(0.25):
            return self.scene()
        directory = self.one(*DIRECTORIES)
        kind = self.random.random()
        if kind < 0.55:
            return self.run()
        if kind < 0.75:
            return self.copy()
        return self.one(
            f"WORKDIR {directory}", f"WORKDIR {self.one('sub', '..', '$DIR', '/')}", f"USER {self.one(*USERS)}",
            "ENV FOO=5 BAR=\"b c\"", "ENV FOO six seven", "ENV DIR=/opt/app", "ARG FOO=8", "ARG BAR",
            "LABEL a.b c d", 'LABEL x="1" y=2', "MAINTAINER Some One <one@example.org>", "EXPOSE 80 8080/udp",
            "VOLUME /vol", 'VOLUME ["/data"]', "STOPSIGNAL SIGTERM", "CMD echo $FOO", 'CMD ["sh", "-c", "true"]',
            "CMD sleep 1", "ENTRYPOINT top -b", 'ENTRYPOINT ["/srv/b.sh"]', "HEALTHCHECK CMD true", "HEALTHCHECK NONE",
            'SHELL ["/bin/sh", "-ec"]', 'SHELL ["/bin/sh", "-c"]', "# a comment", "",
            f"ONBUILD RUN touch {directory}/on",
        )  # fmt: skip

    def file(self) -> str:
        lines: list[str] = []
        count = self.one("1", "1", "2", "3")
        for number in range(int(count)):
            name = self.one("Build", "second", "s3") + str(number)
            base = self.one(*self.stages) if self.stages and self.chance(0.3) else self.one(*BASES)
            lines.append(f"FROM {base} {self.one('AS', 'as')} {name}")
            lines += [FILL, "ENV DIR=/srv"]
            lines += [self.step() for _ in range(self.random.randint(3, 9))]
            self.stages.append(self.one(name, name.lower()))
        text = "\n".join(lines) + "\n"
        return text.replace("\n", "\r\n") if self.chance(0.05) else text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--unsafe", action="store_true", help="the unsafe tier, too, and the passes that restructure")
    parser.add_argument("--must", default="", help="build only where this pass did something")
    parser.add_argument("--keep", type=Path, help="a directory for the files that fail")
    given = parser.parse_args()
    passes, tiers = (PASSES + UNSAFE, ("safe", "unsafe")) if given.unsafe else (PASSES, ("safe",))
    options = Options(passes, (), tiers, {"merge-run": {"when": "all"}})
    counts: Counter[str] = Counter()

    def fails(what: str, seed: int, why: str, before: str, after: str) -> None:
        counts[what] += 1
        print(f"seed {seed}: {what}: {why}", flush=True)
        if given.keep:
            given.keep.mkdir(parents=True, exist_ok=True)
            (given.keep / f"{seed}.before").write_text(before, newline="")
            (given.keep / f"{seed}.after").write_text(after, newline="")

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    engine = find_engine("docker")
    try:
        with tempfile.TemporaryDirectory(prefix="dfopt-fuzz-") as folder:
            make_context(Path(folder))
            path = str(Path(folder) / "Dockerfile")
            lab = Lab(engine, ProofSettings(folder, timeout=120, network="none"))
            for seed in range(given.seed, given.seed + given.count):
                text = Maker(seed).file()
                source = Source("Dockerfile", text)
                facts = ContextFacts(path, folder, source, folder)
                try:
                    result = optimize(source, options, facts)
                    again = optimize(Source("Dockerfile", result.output), options, facts)
                except Exception:
                    fails("traceback", seed, traceback.format_exc(), text, "")
                    continue
                names = {fix.name for fix in result.applied}
                if not names - LOOKS or (given.must and given.must not in names):
                    counts["not readable" if result.problem else "nothing to prove by a build"] += 1
                    continue
                if again.changed:
                    fails("second run changes", seed, ", ".join(fix.name for fix in again.applied), text, result.output)
                try:
                    before = build_original(lab, encode(text), path)
                except ProofError:
                    counts["does not build as it is"] += 1
                    continue
                declared = declarations_of(result.applied)
                verdict = compare_with_original(lab, before, encode(result.output), path, declared, measure=False)
                engine.remove(before.built.image)
                if verdict.holds:
                    counts["built before and after: equal but for what is declared"] += 1
                    for name in names:
                        counts[f"with {name}"] += 1
                else:
                    what = "differs undeclared" if verdict.after is not None else "no longer builds"
                    fails(what, seed, verdict.failure, text, result.output)
    except KeyboardInterrupt:
        print("stopped", flush=True)
    finally:
        engine.close()
    for what, number in sorted(counts.items(), key=lambda item: -item[1]):
        print(f"{number:6} {what}")
    return 1 if any(counts[what] for what in MUST_BE_ZERO) else 0


if __name__ == "__main__":
    sys.exit(main())
