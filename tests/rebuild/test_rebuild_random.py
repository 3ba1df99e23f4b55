"""Random names and configs: the rebuild holds, or the image is refused; no text of it is read as an instruction."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from image.builders import docker_archive, file, folder, layer, whiteout

from dfopt.rebuild.config_instructions import SCRATCH, ConfigInstructions
from dfopt.syntax.dockerfile import parse
from rebuild.simulated import rebuilt, round_trip

CHARACTERS = st.characters(exclude_characters="/\0")
NAMES = st.one_of(
    st.text(st.sampled_from("ab \n\r\t\\\"'#<$`*?[]{}=,;&|()-~.\u2028\udcff"), min_size=1, max_size=12),
    st.text(CHARACTERS, min_size=1, max_size=8),
).filter(lambda name: name not in (".", "..") and not name.startswith(".wh.") and _is_name(name))
TEXTS = st.text(st.sampled_from("aA1 =:/\n\r\t\\\"'#<$`{}[],-\u2028\udcff"), max_size=12)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["Env", "Labels", "User", "WorkingDir", "Entrypoint", "Cmd", "Shell", "StopSignal", "Healthcheck", "ExposedPorts",
     "Volumes", "OnBuild", "Other"]
)  # fmt: skip
CONFIGS = st.dictionaries(KEYS, VALUES, max_size=5)


def _is_name(name: str) -> bool:
    """Whether a file can have the name: no lone surrogate but those that stand for bytes."""
    try:
        return len(name.encode("utf-8", "surrogateescape")) <= 255
    except UnicodeEncodeError:
        return False


@given(st.lists(NAMES, min_size=1, max_size=8, unique=True), st.data())
@settings(max_examples=100)
def test_random_names(names: list[str], data: st.DataObject) -> None:
    deleted = data.draw(st.lists(st.sampled_from(names), unique=True))
    layers = [
        layer(folder("bin"), file("bin/rm", "#!", 0o755), folder("srv")),
        layer(*[file(f"srv/{name}", "x", data.draw(st.sampled_from([0o644, 0o755, 0o600]))) for name in names]),
        layer(*[whiteout(f"srv/{name}") for name in deleted]),
    ]
    with tempfile.TemporaryDirectory() as place:
        assert round_trip(Path(place), layers).files == ()


@given(CONFIGS, CONFIGS)
@settings(max_examples=300)
def test_random_configs(wanted: dict[str, Any], base: dict[str, Any]) -> None:
    for below in (base, SCRATCH):
        found = ConfigInstructions(wanted, below)
        text = "".join(f"{line}\n" for line in ("FROM scratch", *found.instructions))
        keywords = [node.keyword for node in parse(text).instructions]
        assert keywords == ["FROM", *[line.split(" ")[0] for line in found.instructions]]
        assert not {"RUN", "COPY", "ADD", "ARG"} & set(keywords)
        assert all(note.isprintable() for note in found.notes)


@given(CONFIGS, st.lists(TEXTS, max_size=3))
@settings(max_examples=50)
def test_random_images(config: dict[str, Any], history: list[str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        entries = [{"created_by": text, "comment": text} for text in history]
        image = docker_archive(Path(place, "image.tar"), [layer(file("a", "x", 0o600))], config=config, history=entries)
        text = rebuilt(image, Path(place, "out")).text
        assert [node.keyword for node in parse(text).instructions][:2] == ["FROM", "ADD"]
