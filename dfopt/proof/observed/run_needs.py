"""What the run of an image needs: found by following what it starts through the files of the image.

What steps wrote is kept by directories, unless only a build reads it: source trees that nothing names, caches, headers,
and, where the program is compiled, its sources and intermediate files. Of packages stay those that were asked for by
name and are no build tools, and those that own what the programs and libraries that stay are linked with, call, or, in
the smoke test, opened. What a failure of an earlier try named is added (`Additions`).
"""

from __future__ import annotations

import posixpath
import re

from dfopt.analysis.remote_scripts import SHELLS
from dfopt.analysis.system_paths import SYSTEM
from dfopt.facts import LAYOUT, RunEvidence
from dfopt.image.layers import FILE
from dfopt.knowledge import table
from dfopt.passes.multi_stage.packages import is_build, is_tool
from dfopt.proof.observed.contents import FileContents, union
from dfopt.proof.observed.copies import copies_of
from dfopt.proof.observed.installed_packages import installed_packages
from dfopt.proof.observed.places import (
    above,
    beyond,
    files_below,
    in_build_place,
    in_system,
    is_build_input,
    is_development,
    is_home_cache,
    is_never_read,
    is_output,
    is_source_tree,
    is_state,
    is_unread,
    top_of,
)
from dfopt.proof.observed.started_programs import StartedPrograms
from dfopt.record import Record
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from dfopt.image.artifacts import ImageFiles
    from dfopt.image.model import Image
    from dfopt.stage_templates.stage_recipes import StageRecipe

# Directories that many packages share
_SHARED = re.compile(
    r"/(?:usr/(?:local/)?)?(?:lib|lib64|libexec|include)/[\w-]+-linux-[\w-]+|/usr/share/(?:doc|man)"
    r"|/etc/(?:init\.d|default|cron\.\w+)"
)
_LIBRARY = re.compile(r"/lib[^/]*\.so(?:\.[\d.]+)?\Z")
_CONFIGURATION = re.compile(r"/etc/[\w./@+-]+")
_STARTERS = frozenset((*SHELLS, "env", "exec", "tini", "dumb-init", "gosu", "su-exec", "setpriv"))
_TLS, _ZONES = ("https", "/etc/ssl"), ("zoneinfo", "TZ", "tzset")


class Additions:
    """What failures named, of which there is only ever more: files, directories to write in, and packages."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.directories: set[str] = set()
        self.packages: set[str] = set()

    def size(self) -> int:
        return len(self.paths) + len(self.directories) + len(self.packages)


class BuiltFiles(Record):
    """A stage's image, the one to run it on, and what is known of them. `base`: its base image, in its lowest layers;
    `settings`: of the stage's image; `text`: the Dockerfile; `opened`: the paths that the smoke test opened, None where
    nobody looked."""

    image: ImageFiles
    run: ImageFiles
    base: ImageFiles
    settings: Mapping[str, Any]
    text: str
    opened: frozenset[str] | None = None


class RunNeeds(StartedPrograms):
    """`find` is called with what failures added; what was read of the files is kept between the calls. Raises
    ImageError."""

    def __init__(self, built: BuiltFiles, image: Image, recipes: Iterable[StageRecipe]) -> None:
        super().__init__(built.image, built.settings, bare=not built.run.layers)
        self.built = built
        self._found: tuple[int, RunEvidence] | None = None
        self.packages = installed_packages(built.image)
        self.base_packages = set(built.base.owners.values())
        base_layers = len(built.base.layers)
        self.beyond = beyond(built.image, built.run, base_layers, self.names)
        self.reads_history = False  # whether the program may call git in a repository of its own
        self.compiled = False  # whether the program was, by the steps or by the base image's
        self.places: dict[str, list[str]] = {}
        for path in self.beyond.own:
            self.places.setdefault(top_of(built.image, built.run, path, base_layers), []).append(path)
        words = {*_TLS, *_ZONES, *table("observed")["temporary"], *self.tools()}
        self.contents = FileContents(words, list(filter(self.is_for_builds, self.places)), recipes)
        layers = sorted({node.layer for node in self.beyond.own.values()})
        self.contents.read(image, layers, self.beyond.own.keys())

    def names(self, path: str) -> bool:
        """Whether the Dockerfile names a path, or a directory above it that is no system's."""
        while path not in SYSTEM:
            if re.search(rf"{re.escape(path)}(?![\w.-])", self.built.text):
                return True
            path = posixpath.dirname(path)
        return False

    def tools(self) -> dict[str, str]:
        """Programs of packages that steps asked for, and that serve builds as a rule -> the package."""
        named = self.named()
        return {
            posixpath.basename(path): package for path, package in self.beyond.packaged.items()
            if package in named and is_tool(package) and "/bin/" in path
            and posixpath.basename(path) in package  # binutils' `as` and `size` are English
        }  # fmt: skip

    def named(self) -> set[str]:
        """The packages that steps asked for by name."""
        here = set(self.beyond.packaged.values())
        return {name for name in self.packages.named if name in here and name not in self.base_packages}

    def is_for_builds(self, place: str) -> bool:
        """Whether a place looks as if it was there to build in."""
        node = self.image.tree.find(place)
        if node is None or is_home_cache(place):
            return node is not None
        return in_build_place(place) or is_source_tree(node)

    def find(self, added: Additions) -> RunEvidence:
        """What the run needs, which stays the same as long as nothing is added. Raises Refusal."""
        if self._found is None or self._found[0] != added.size():
            self._found = added.size(), self._find(added)
        return self._found[1]

    def _find(self, added: Additions) -> RunEvidence:
        started, names = self.started()
        opened = self.built.opened or frozenset()
        wanted = {*started, *opened, *added.paths}
        kept = self.own_kept(started, wanted)
        packages, more = self.packages_kept(kept, set(started), wanted, names, added)
        kept |= more
        if self.accounts() and not self.bare:
            kept |= {"/etc/passwd", "/etc/group"}
        empty = [*self.directories(kept), *self.temporary(kept), *self.state(kept), *sorted(added.directories)]
        made = copies_of(self.image, self.built.run, kept, empty, self.workdir)
        if self.bare and made.directories and self.image.tree.find(LAYOUT) is not None:
            raise Refusal(f"the image has a {LAYOUT} of its own, where its directories would be laid out")
        own = set(self.built.run.owners.values())
        installed = self.packages.closure(packages) - own
        total = _layer_bytes(self.built.run) + made.bytes + self.package_bytes(installed)
        libraries = not self.bare and any(_LIBRARY.search(path) for path in kept)
        return RunEvidence(
            self.packages.family, tuple(packages), made.files, made.trees, made.links, made.directories, libraries,
            total, _layer_bytes(self.image) - total, self.removed() if packages else (),
            self.reasons((*made.files, *dict(made.trees))),
        )  # fmt: skip

    def removed(self) -> tuple[str, ...]:
        """What the Dockerfile's steps took away of what packages set up, which their installation would bring again."""
        found, removing = set[str](), False
        for word in self.built.text.split():
            removing = word == "rm" or (removing and word.startswith(("-", "/", "\\")))
            if removing and _CONFIGURATION.fullmatch(word) and self.image.tree.find(word) is None:
                found.add(word)
        return tuple(sorted(found))

    def reasons(self, paths: Iterable[str]) -> dict[str, str]:
        """Why what no step wrote is copied, by the rows of the table."""
        found: dict[str, str] = {}
        rows = table("observed")["reason"] if self.bare else ()
        own = {place for path in self.beyond.own for place in (path, *above(path))}
        for path in paths:
            if path in own:
                continue
            row = next((row for row in rows if re.match(row["path"], path)), None)
            found.update({path: row["text"]} if row is not None else {})
        return found

    def temporary(self, kept: set[str]) -> list[str]:
        """Directories for temporary files, which an empty image lacks: those that something names, and with an
        interpreter all."""
        if not self.bare:
            return []
        said = union(self.contents.of, kept)
        places = [place for place in table("observed")["temporary"] if place in said or not self.compiled]
        return [place for place in places if self.image.artifact(place).kind == "directory"]

    def state(self, kept: set[str]) -> list[str]:
        """Directories below /var that the packages of what stays bring, which an empty image lacks."""
        if not self.bare:
            return []
        packages = {self.beyond.packaged[path] for path in kept if path in self.beyond.packaged}
        packages.difference_update(table("observed")["own-state"])
        return [
            path for path, package in self.image.owners.items()
            if package in packages and path.startswith("/var/") and path not in SYSTEM
            and self.image.artifact(path).kind == "directory"
        ]  # fmt: skip

    def directories(self, kept: set[str]) -> list[str]:
        """Directories that steps made for the run, in which nothing is yet, and that no WORKDIR makes as they are."""
        found: list[str] = []
        left = tuple(f"{place}/" for place, paths in self.places.items() if kept.isdisjoint(paths))
        for path, node in self.beyond.empty.items():
            inside = path.startswith(left) or is_never_read(path)
            plain = path == self.workdir and (node.entry.uid, node.entry.gid, node.entry.mode) == (0, 0, 0o755)
            if not (inside or plain or is_home_cache(path) or in_build_place(path)) and (
                self.names(path) or not (in_system(path) or path.startswith("/usr/") or self.image.owner(path))
            ):
                found.append(path)
        return found

    def directory_above(self, path: str) -> str:
        """The lowest directory at or above a path, where the image for the run lacks it; "" where it does not."""
        for place in (path, *above(path)):
            if self.image.artifact(place).kind == "directory":
                return place if self.built.run.tree.find(place) is None else ""
        return ""

    def accounts(self) -> bool:
        """Whether steps made users or groups that no package makes."""
        known = {account.name for account in self.built.base.accounts()}
        new = {account.name for account in self.image.accounts()} - known
        return any(re.search(rf"\b{re.escape(name)}\b", self.built.text) for name in new)

    def package_bytes(self, names: set[str]) -> int:
        tree, owners = self.image.tree, self.image.owners
        nodes = (tree.find(path) for path, package in owners.items() if package in names)
        return sum(node.entry.size for node in nodes if node is not None and node.inode is not None)

    def own_kept(self, started: list[str], wanted: set[str]) -> set[str]:
        """The files and links that steps wrote and the run needs."""
        programs = [path for path in started if posixpath.basename(path) not in _STARTERS]
        program = programs[0] if programs else started[0]
        is_own = self.image.artifact(program).kind == "elf" and self.image.resolved(program) in self.beyond.own
        sources = [path for path in self.beyond.own if "/.git/" not in path]
        called = union(self.contents.called, sources) | union(self.contents.scripts, sources)
        self.reads_history = "git" in called | union(self.contents.of, sources)
        self.compiled = compiled = is_own or posixpath.basename(program) in table("observed")["compiled"]
        wanted = wanted | {self.image.resolved(path) for path in wanted}
        kept: set[str] = set()
        doubtful: dict[str, list[str]] = {}
        homes = {*started, self.workdir, *map(self.image.resolved, started)}
        for place, paths in self.places.items():
            if self.is_for_builds(place) and not any(f"{path}/".startswith(f"{place}/") for path in homes):
                doubtful[place] = paths
                # of a place to build in, files that are wanted stay, with the directories of their own
                near = {posixpath.dirname(path) for path in wanted} - {place}
                kept |= {path for path in paths if path in wanted or posixpath.dirname(path) in near}
                continue
            for path in paths:
                if path in wanted or not self.is_left(path, place, compiled):
                    kept.add(path)
        while True:  # what something that stays names, stays too
            said = union(self.contents.of, kept)
            more = [place for place in doubtful if place in said and not is_home_cache(place)]
            if not more:
                return kept
            for place in more:
                kept |= {path for path in doubtful.pop(place) if not self.is_left(path, place, compiled)}

    def is_left(self, path: str, place: str, compiled: bool) -> bool:
        """Whether a file that steps wrote is of no use to the run."""
        below = path[len(place) :].lstrip("/") or posixpath.basename(path)
        if is_development(path) or is_home_cache(path):
            return True
        if is_never_read(below) and not (self.reads_history and "/.git/" in path):
            return True
        return compiled and is_build_input(below) and not in_system(path)

    def packages_kept(
        self, kept: set[str], started: set[str], wanted: set[str], names: set[str], added: Additions
    ) -> tuple[list[str], set[str]]:
        """(names of packages for the run, files that are not the steps' and that the run needs). On an empty image
        there are no packages, and their files are named."""
        said, every = union(self.contents.of, kept), set(self.beyond.packaged.values())
        packages = {name for name in self.named() if not (is_build(name) or is_tool(name))}
        # they are installed without what they recommend: what of that is there, and serves no build, is named
        packages |= {other for name in packages for other in self.packages.recommends.get(name, ()) if other in every}
        packages = {name for name in packages if not (is_build(name) or is_tool(name))} | (added.packages & every)
        packages |= {package for name, package in self.tools().items() if name in said}
        files = set[str]()
        zone = any(pair.startswith("TZ=") for pair in self.image.env)
        for is_said, package, path in (
            (bool(said & set(_TLS)), "ca-certificates", "/etc/ssl/certs/ca-certificates.crt"),
            (zone or bool(said & set(_ZONES)), "tzdata", "/usr/share/zoneinfo"),
        ):
            if is_said and package in every:
                if self.bare:
                    files |= self.whole(path)
                else:
                    packages.add(package)
        called = names | union(self.contents.called, self.beyond.own.keys()) | union(self.contents.scripts, started)
        programs = [*filter(None, map(self.program, called))]
        for name in union(self.contents.scripts, kept):
            path = self.program(name)
            if path and not is_build(self.beyond.packaged.get(self.image.resolved(path), "")):
                programs.append(path)
        waiting = [*wanted, *kept, *programs]
        if self.bare:  # what is called by what stays, with all that its package depends on
            sure = names | union(self.contents.called, kept) | union(self.contents.scripts, started)
            places = {
                one for path in filter(None, map(self.program, sure)) for one in (path, self.image.resolved(path))
            }
            calling = {self.beyond.packaged[place] for place in places if place in self.beyond.packaged}
            compilers = self.packages.closure(package for package in calling if is_build(package))
            brought = self.packages.closure(packages | calling) - self.base_packages
            for path, package in self.beyond.packaged.items():
                if package not in brought or is_state(path) or is_unread(path):
                    continue
                if package in compilers:
                    files.add(path)
                if package in compilers or not (is_build(package) or is_development(path)):
                    waiting.append(path)
            files |= {path for path in table("observed")["bare"] if self.image.tree.find(path) is not None}
        seen, sought = set[str](), set[str]()
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            place = self.image.resolved(path)
            for one in (path,) if self.bare and self.is_link(path) else (path, place):
                if one != place and self.bare:
                    files.add(one)
                    if (link := self.directory_link(one)) is not None:
                        files.discard(one)
                        files.add(link)
                elif one in self.beyond.packaged and not self.bare:
                    packages.add(self.beyond.packaged[one])
                elif one in self.beyond.packaged or one in self.beyond.toolchain:
                    beside = self.whole(one) - files
                    files |= beside
                    waiting += [other for other in beside if ".so" in other]  # with what they are linked with
                elif one in self.beyond.own and one not in kept:
                    files.add(one)
            artifact = self.image.artifact(path)
            if self.bare and path != place and artifact.kind in ("script", "file"):
                waiting.append(place)  # with what lies beside it
            if artifact.kind == "elf":
                needed = self.libraries(place)
                needed += [artifact.interpreter] if artifact.interpreter and self.bare else []
                waiting += needed
                sought.update(needed)
            elif artifact.kind == "script":
                words = [word for word in artifact.interpreter.split() if not word.startswith("-")]
                waiting += filter(None, map(self.program, words))
        if not self.bare:
            return self.packages.least(packages), files
        files |= self.families({*files, *kept})
        files |= {path for path, node in self.beyond.toolchain.items() if is_output(node)}
        # a COPY of a link takes the file that it leads to, so that this is there by the name that is asked for
        links = {self.image.resolved(path) for path in files if self.is_link(path)}
        links = {path for path in links if ".so" in path or path in (self.built.opened or ())} - sought
        files |= self.led_to({*files, *kept})
        if any(path.startswith("/usr/local/lib") and ".so" in path for path in (*files, *kept)):
            files.add("/etc/ld.so.cache")  # the dynamic linker looks there by itself in no other way
        return [], {path for path in files - links if not self.leads_nowhere(path)}

    def families(self, kept: set[str]) -> set[str]:
        """What belongs to what stays, and is loaded by names that come at run time: locales, character sets."""
        found = set[str]()
        for row in table("observed")["family"]:
            one, every = re.compile(row["of"]), re.compile(row["all"])
            if any(map(one.match, kept)):
                beyond = (*self.beyond.own, *self.beyond.toolchain, *self.beyond.packaged)
                found.update(path for path in beyond if every.match(path))
        return found

    def leads_nowhere(self, path: str) -> bool:
        """Whether a path is a link to what is not there, and will not be when the image runs."""
        return not (self.image.artifact(path).kind or self.image.resolved(path).startswith(("/dev/", "/proc/")))

    def whole(self, path: str) -> set[str]:
        """A file of the base image's or a package's, with all of the directory of its own that it lies in."""
        top = path
        while (parent := posixpath.dirname(path)) not in SYSTEM and not _SHARED.fullmatch(parent):
            path = parent
            if self.built.run.tree.find(path) is None:
                top = path
        node = self.image.tree.find(top)
        if node is None:
            return set()
        return {place for place, _ in files_below(node, top) if place == path or not is_development(place)}


def _layer_bytes(image: ImageFiles) -> int:
    return sum(entry.size for layer in image.layers for entry in layer.entries if entry.kind == FILE)
