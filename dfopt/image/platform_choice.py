"""Which of an archive's images is meant: by name, tag or digest, and by platform."""

from __future__ import annotations

from dfopt.image.errors import ImageError
from dfopt.image.model import Platform, host_platform, parse_platform
from dfopt.syntax.image_ref import ImageRefError, parse_image_ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from dfopt.image.oci import ImageChoice

_ARM_VARIANTS = ("v8", "v7", "v6", "v5")


def select(choices: list[ImageChoice], name: str | None, platform: str | Platform | None, label: str) -> ImageChoice:
    """The one choice that fits; ImageError, which lists what there is, when none or several do."""
    if not choices:
        raise ImageError(f"{label}: holds no image")
    pool = choices if name is None else _named(choices, name)
    if not pool:
        raise ImageError(f"{label}: no image {name!r} in it: it holds {_listing(choices)}")
    # Two entries of the same names are one image for two platforms; entries without a name are each their own.
    if len({choice.group for choice in pool}) > 1 and len({choice.names or choice.digest for choice in pool}) > 1:
        raise ImageError(f"{label}: holds several images, name one: {_listing(pool)}")
    if platform is not None:
        requested = parse_platform(platform) if isinstance(platform, str) else platform
        pool = _fitting(pool, requested, exact=True)
        if not pool:
            raise ImageError(f"{label}: no image for {requested}: it holds {_platforms(choices)}")
    elif len(pool) > 1:
        pool = _fitting(pool, host_platform(), exact=False) or pool
    if len({choice.digest for choice in pool}) > 1:
        raise ImageError(f"{label}: holds images for {_platforms(pool)}: choose a platform")
    return pool[0]


def _full(name: str) -> str:
    """The name with what engines add to it: `alpine` is `docker.io/library/alpine:latest`. What is not an image name
    (layouts may call their images anything) stands for itself."""
    try:
        ref = parse_image_ref(name)
    except ImageRefError:
        return name
    return ref.name + (f":{ref.resolved_tag}" if ref.resolved_tag else "") + (f"@{ref.digest}" if ref.digest else "")


def _named(choices: list[ImageChoice], name: str) -> list[ImageChoice]:
    """By the name as written, else its full form, else the tag alone, else the digest."""
    full = _full(name)
    tests: tuple[Callable[[ImageChoice], bool], ...] = (
        lambda choice: name in choice.names,
        lambda choice: full in map(_full, choice.names),
        lambda choice: any(
            choice_name.rpartition(":")[2] == name for choice_name in choice.names if ":" in choice_name
        ),
        lambda choice: _is_digest(name, choice.digest),
    )
    for test in tests:
        if matches := [choice for choice in choices if test(choice)]:
            return matches
    return []


def _is_digest(name: str, digest: str) -> bool:
    digits = digest.partition(":")[2]
    return name == digest or (len(name) >= 12 and digits.startswith(name))


def _fitting(pool: list[ImageChoice], platform: Platform, exact: bool) -> list[ImageChoice]:
    """The choices for a platform. Of arm variants a machine also runs the lower ones; an exact wish is not stretched
    where it names a variant."""
    keyed = [(choice, (choice.platform or choice.load().platform).key()) for choice in pool]
    target = platform.key()
    exact_matches = [choice for choice, key in keyed if key == target]
    if exact_matches or (exact and platform.variant):
        return exact_matches
    same = [(choice, key[2]) for choice, key in keyed if key[:2] == target[:2]]
    if target[1] == "arm":
        lower = _ARM_VARIANTS[_ARM_VARIANTS.index(target[2]) :] if target[2] in _ARM_VARIANTS else ()
        for variant in lower:
            if best := [choice for choice, choice_variant in same if choice_variant == variant]:
                return best
        return []
    return [choice for choice, _ in same]


def _listing(choices: list[ImageChoice]) -> str:
    names = dict.fromkeys(", ".join(choice.names) or choice.digest[:19] for choice in choices)
    listed_names = list(names)[:20]
    return "; ".join(listed_names) + (f"; and {len(names) - 20} more" if len(names) > 20 else "")


def _platforms(choices: list[ImageChoice]) -> str:
    return ", ".join(sorted({str(choice.platform or choice.load().platform) or "unstated" for choice in choices}))
