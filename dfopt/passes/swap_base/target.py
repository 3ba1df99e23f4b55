"""Which image can take the place of a stage's base image, and what it has and has not."""

from __future__ import annotations

import re

from dfopt.ir.base_images import base_facts, split_image
from dfopt.knowledge import table
from dfopt.record import Record, replace
from dfopt.refusal import Refusal
from dfopt.syntax.image_ref import ImageRefError, parse_image_ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from dfopt.facts import Facts

SLIM, ALPINE, BUSYBOX, BARE, RHEL = "slim", "alpine", "busybox", "bare", "rhel"
_KINDS = {"alpine": ALPINE, "busybox": BUSYBOX, "distroless": BARE, "scratch": BARE, "rhel": RHEL}
_DEBIANS = ("debian", "ubuntu")


class ReplacementBase(Record):
    """The image that comes, and how it differs from the one that goes.

    image     its name, for FROM
    kind      SLIM: the same distribution with less in it (of the RHEL family: with microdnf); ALPINE, RHEL: another
              one; BUSYBOX: no packages; BARE: not even a shell
    source    family of the image that goes: "debian", "ubuntu", "rhel", "alpine"
    family    key of the tables in base_programs: whose programs and accounts it has
    programs  what a shell finds there
    own       programs of the language that both images carry; `gone`: that the old one alone does
    lacks     packages that the old image has and the new one (SLIM) has not, or may not have
    accounts  user names that it brings
    hardened  it is known by its maker's documents alone, so that only a trial can prove it
    user      who its containers run as, where that is not root: a number
    workdir   its working directory, where that is not "/"
    doubt     what nothing but a trial tells of it
    zones     whether it has time zones; `certificates`: ... those of authorities
    """

    image: str
    kind: str
    source: str
    family: str
    programs: frozenset[str]
    own: frozenset[str]
    lacks: frozenset[str]
    accounts: frozenset[str]
    hardened: bool = False
    user: str = ""
    workdir: str = ""
    zones: bool = True
    certificates: bool = True
    gone: frozenset[str] = frozenset()
    doubt: str = ""

    @property
    def microdnf(self) -> bool:
        """Whether the new image is one of the same distribution of the RHEL family, with microdnf in dnf's place."""
        return self.kind == SLIM and self.source == "rhel"


def target_of(image: str, to: str, images: Sequence[str]) -> ReplacementBase | str | None:
    """What the options put in the place of `image`; a reason where they name something that cannot be judged; None
    where they name nothing for it. `images`: the user's table, "FROM=TO" each, `*` in FROM for any text."""
    image, _, digest = image.partition("@")
    facts = base_facts(image)
    source = facts.family if facts is not None else ""
    row, values = _row(image)
    if digest and row is not None and not _has_tag(image):
        return "the image is named by its digest alone"
    own = frozenset(row["own"]) if row is not None else frozenset[str]()
    for pair in images:
        old, _, new = pair.partition("=")
        if new and re.fullmatch(re.escape(old).replace(r"\*", ".*"), image):
            return None if new == image else _named(new, source, row, own)
    if any(pair.partition("=")[2] == image for pair in images):
        return None  # it is what the user asked for
    if row is None or not source:
        return None
    if to in ("slim", "cuda-base"):
        name = _spelled(image, row.get(to), values)
        if name is None or name == image:
            return None
        lacks = _lacks(row["full"])
        made = _made(name, SLIM, source, own, lacks, {"node"} if row["full"] == "node" else set())
        return replace(made, doubt=row.get("doubt", ""))  # type: ignore[no-any-return]
    if to == "alpine":
        name = _spelled(image, row.get("alpine"), values)
        if name is None or name == image or source == "alpine":
            return None
        return _made(name, ALPINE, source, own, frozenset(), {"node"} if row["full"] == "node" else set())
    hardened = table("swaps")["hardened"].get(to)
    if hardened is not None:
        return _hardened(image, source, row, values, to, hardened)
    name = table("swaps")["other"].get(to)
    if name is None or name == image:
        return None
    made = _made(name, BUSYBOX if to == "busybox" else BARE, source, frozenset(), frozenset(), set())
    return replace(made, gone=own)  # type: ignore[no-any-return]


def pinned_name(image: str, old: str, facts: Facts) -> str:
    """The name by which `image` comes in place of `old`: with the digest of its tag where that one is pinned. Raises
    Refusal."""
    if "@" not in old or "@" in image or image == "scratch":
        return image
    name = image if _has_tag(image) else f"{image}:latest"
    digest = facts.digest(name)
    if digest is None:
        raise Refusal(f"the image is pinned, and the digest of {name} is not known", "use --online to ask its registry")
    try:
        parse_image_ref(f"{name}@{digest}")
    except ImageRefError:
        raise Refusal(f"{digest!r} is no digest") from None
    return f"{name}@{digest}"


def _has_tag(image: str) -> bool:
    return ":" in image.rpartition("/")[2]


def _row(image: str) -> tuple[dict[str, Any] | None, dict[str, str]]:
    repository, tag = split_image(image)
    for row in table("swaps")["image"]:
        match = re.fullmatch(row["tag"], tag or "") if repository in row["match"] else None
        if match is not None:
            return row, {key: value or "" for key, value in match.groupdict().items()}
    return None, {}


def _spelled(image: str, tag: str | None, values: dict[str, str]) -> str | None:
    """The whole name: with the repository as it is written, where the table gives a tag alone."""
    if tag is None:
        return None
    colon = image.rfind(":")
    repository = image[:colon] if colon > image.rfind("/") else image
    said = {"name": repository, **values}
    tag = re.sub(r"\{(\w+)\}", lambda match: said.get(match[1], ""), tag)
    if colon <= image.rfind("/"):
        tag = tag.removesuffix(":latest")
    return tag if ":" in tag or "/" in tag else f"{repository}:{tag}"


def _lacks(key: str) -> frozenset[str]:
    full = table("swaps")["full"][key]
    packages = set(full["packages"])
    if "like" in full:
        packages |= set(table("swaps")["full"][full["like"]]["packages"])
    return frozenset(packages - set(full.get("slim", ())))


def _named(image: str, source: str, row: dict[str, Any] | None, own: frozenset[str]) -> ReplacementBase | str:
    """The target that the user's table names."""
    facts = base_facts(image)
    if facts is None or not source:
        return f"which distribution {image if source else 'the old image'} is made of is not known"
    if facts.family in _DEBIANS and source in _DEBIANS:
        lacks = _lacks(row["full"]) if row is not None else _lacks("buildpack")
        return _made(image, SLIM, source, own, lacks, set())
    kind = _KINDS.get(facts.family)
    if kind is None or facts.family == source:
        return f"what {image} has less than the old image is not known"
    if kind == BARE and facts.sh != "none":
        return f"{image} is taken for one without a shell, but has one"
    return _made(image, kind, source, own if kind in (ALPINE, RHEL) else frozenset(), frozenset(), set())


def _made(
    image: str, kind: str, source: str, own: frozenset[str], lacks: frozenset[str], accounts: set[str]
) -> ReplacementBase:
    known = table("base_programs")
    family = {SLIM: "debian", ALPINE: "alpine", BUSYBOX: "busybox", RHEL: "debian"}.get(
        kind, "scratch" if image == "scratch" else "distroless"
    )
    programs = frozenset(known["programs"].get(family, "").split())
    if kind == SLIM and source == "rhel":
        programs = frozenset(table("swaps")["minimal"]["programs"].split())
    has_data = image != "scratch"
    return ReplacementBase(
        image, kind, source, family, programs, own, lacks, frozenset(known["accounts"][family]) | accounts,
        zones=has_data, certificates=has_data,
    )  # fmt: skip


def _hardened(
    image: str, source: str, row: dict[str, Any], values: dict[str, str], to: str, family: dict[str, Any]
) -> ReplacementBase | None:
    """The image of a hardened family: the one of the language, of a version that there is, or one for any program."""
    of_row = row.get(to)
    own = frozenset[str]()
    if of_row is not None:
        tag = split_image(image)[1] or ""
        name = _spelled(image, of_row["image"], values) if re.fullmatch(of_row["tags"], tag) else None
        family, own = {**family, **of_row}, frozenset(of_row.get("own", ()))
    else:
        name = family.get("image")
    if name is None or name == image:
        return None
    made = _made(name, BARE, source, own, frozenset(), {family["name"]} - {""})
    return replace(  # type: ignore[no-any-return]
        made, hardened=True, user=family["user"], workdir=family.get("workdir", ""),
        zones=family.get("zones", True), certificates=family.get("certificates", True),
    )  # fmt: skip


_provided: dict[bool, dict[str, str]] = {}


def provider(program: str, *, rhel: bool = False) -> str:
    """The package of Debian, or of the RHEL family, that brings a program; "" where the table does not know it."""
    if rhel not in _provided:
        made = _provided[rhel] = {}
        rows = table("swaps")["minimal"] if rhel else table("base_programs")
        for package, programs in rows["provides"].items():
            for one in programs:
                made.setdefault(one, package)
    return _provided[rhel].get(program, "")


def programs_of(package: str) -> list[str]:
    """The programs that a package brings: those of the tables, else the one of its name."""
    found: list[str] | None = table("base_programs")["provides"].get(package)
    if found is None:
        found = table("swaps")["minimal"]["provides"].get(package)
    return [package] if found is None else found
