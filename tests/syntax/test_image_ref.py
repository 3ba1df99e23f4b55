"""Image names: own table, spans, and docker's own library as the judge."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_client import Oracle
from random_examples import examples

from dfopt.syntax.image_ref import ImageRef, ImageRefError, is_tag, parse_image_ref

SHA = "sha256:" + "0123456789abcdef" * 4

# text, registry, repository, tag, digest, normalized, familiar
NAMES = [
    ("ubuntu", "", "ubuntu", "", "", "docker.io/library/ubuntu", "ubuntu"),
    ("ubuntu:24.04", "", "ubuntu", "24.04", "", "docker.io/library/ubuntu:24.04", "ubuntu:24.04"),
    (f"ubuntu@{SHA}", "", "ubuntu", "", SHA, f"docker.io/library/ubuntu@{SHA}", f"ubuntu@{SHA}"),
    (f"ubuntu:24.04@{SHA}", "", "ubuntu", "24.04", SHA, f"docker.io/library/ubuntu:24.04@{SHA}", f"ubuntu:24.04@{SHA}"),
    ("scratch", "", "scratch", "", "", "docker.io/library/scratch", "scratch"),
    ("bitnami/redis:7", "", "bitnami/redis", "7", "", "docker.io/bitnami/redis:7", "bitnami/redis:7"),
    ("library/redis", "", "library/redis", "", "", "docker.io/library/redis", "redis"),
    ("library/a/b", "", "library/a/b", "", "", "docker.io/library/a/b", "library/a/b"),
    ("docker.io/redis", "docker.io", "redis", "", "", "docker.io/library/redis", "redis"),
    ("docker.io/a/b:1", "docker.io", "a/b", "1", "", "docker.io/a/b:1", "a/b:1"),
    ("index.docker.io/redis:7", "index.docker.io", "redis", "7", "", "docker.io/library/redis:7", "redis:7"),
    ("ghcr.io/a/b/c:x", "ghcr.io", "a/b/c", "x", "", "ghcr.io/a/b/c:x", "ghcr.io/a/b/c:x"),
    ("localhost/a", "localhost", "a", "", "", "localhost/a", "localhost/a"),
    ("localhost:5000/a:1", "localhost:5000", "a", "1", "", "localhost:5000/a:1", "localhost:5000/a:1"),
    ("localhost:5000", "", "localhost", "5000", "", "docker.io/library/localhost:5000", "localhost:5000"),
    ("[::1]:5000/a", "[::1]:5000", "a", "", "", "[::1]:5000/a", "[::1]:5000/a"),
    ("CORP/a", "CORP", "a", "", "", "CORP/a", "CORP/a"),
    ("a__b/c---d.e", "", "a__b/c---d.e", "", "", "docker.io/a__b/c---d.e", "a__b/c---d.e"),
    ("foo_bar.com/app:1", "foo_bar.com", "app", "1", "", "foo_bar.com/app:1", "foo_bar.com/app:1"),
]


@pytest.mark.parametrize("row", NAMES, ids=[row[0] for row in NAMES])
def test_name(row: tuple[str, ...]) -> None:
    text, registry, repository, tag, digest, normalized, familiar = row
    ref = parse_image_ref(text)
    assert (ref.text, ref.registry, ref.repository) == (text, registry, repository)
    assert (ref.tag, ref.digest) == (tag, digest)
    assert (ref.normalized, ref.familiar) == (normalized, familiar)
    assert ref.is_scratch == (text == "scratch")
    assert_spans(ref)


def assert_spans(ref: ImageRef) -> None:
    """The spans name the parts, and the text between them is just the separators."""
    text = ref.text
    assert text[: ref.name_end] == (f"{ref.registry}/" if ref.registry else "") + ref.repository
    rest = text[ref.name_end :]
    assert rest == (f":{ref.tag}" if ref.tag else "") + (f"@{ref.digest}" if ref.digest else "")
    assert (ref.tag_span is None) == (ref.tag == "")
    assert (ref.digest_span is None) == (ref.digest == "")
    if ref.tag_span is not None:
        assert text[slice(*ref.tag_span)] == ref.tag
    if ref.digest_span is not None:
        assert text[slice(*ref.digest_span)] == ref.digest


RESOLVED = [("a", "latest"), ("a:1", "1"), (f"a@{SHA}", ""), (f"a:1@{SHA}", "1")]


@pytest.mark.parametrize(("text", "tag"), RESOLVED, ids=[text for text, _ in RESOLVED])
def test_resolved_tag(text: str, tag: str) -> None:
    assert parse_image_ref(text).resolved_tag == tag


ERRORS = [
    ("", "invalid reference format"),
    (" ", "invalid reference format"),
    ("a:", "invalid reference format"),
    ("a@", "invalid reference format"),
    ("a\n", "invalid reference format"),
    ("$BASE", "invalid reference format: repository name (library/$BASE) must be lowercase"),
    ("Ubuntu", "invalid reference format: repository name (library/Ubuntu) must be lowercase"),
    ("SCRATCH", "invalid reference format: repository name (library/SCRATCH) must be lowercase"),
    ("a/B", "invalid reference format: repository name (a/B) must be lowercase"),
    ("a..b", "invalid reference format"),
    ("https://x.io/a", "invalid reference format"),
    ("a:" + "t" * 129, "invalid reference format"),
    ("a" * 256, "repository name must not be more than 255 characters"),
    ("0123456789abcdef" * 4, f"invalid repository name ({'0123456789abcdef' * 4}), cannot specify 64-byte hexadecimal "
                             "strings"),
    ("a@sha256:" + "0" * 63, "invalid checksum digest length"),
    ("a@sha256:" + "A" * 64, "invalid checksum digest format"),
    ("a@sha256:" + "0" * 31, "invalid reference format"),
    ("a@md5:" + "0" * 32, "unsupported digest algorithm"),
    ("a:1@SHA256:" + "0" * 64, "invalid checksum digest format"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), ERRORS, ids=[repr(text[:40]) for text, _ in ERRORS])
def test_error(text: str, message: str) -> None:
    with pytest.raises(ImageRefError) as caught:
        parse_image_ref(text)
    assert caught.value.message == str(caught.value) == message


TAGS = [("1.2-x_", True), ("_", True), ("", False), (".a", False), ("a b", False)]


@pytest.mark.parametrize(("text", "expected"), TAGS, ids=[repr(text) for text, _ in TAGS])
def test_is_tag(text: str, expected: bool) -> None:
    assert is_tag(text) == expected


# --- docker's own library as the judge -------------------------------------------------------------------------------


def ours(text: str) -> dict[str, Any]:
    try:
        ref = parse_image_ref(text)
    except ImageRefError as error:
        return {"err": error.message}
    assert_spans(ref)
    return {
        "domain": ref.domain, "path": ref.path, "tag": ref.tag, "digest": ref.digest, "normalized": ref.normalized,
        "familiar": ref.familiar,
    }  # fmt: skip


def test_tables_are_dockers(oracle: Oracle) -> None:
    for row in (*NAMES, *ERRORS):
        assert ours(row[0]) == oracle.image(row[0])


def test_names_of_dockers_own_tests(oracle: Oracle, buildkit: Path) -> None:
    library = buildkit.parents[3] / "distribution" / "reference"
    names = {
        name
        for file in ("normalize_test.go", "reference_test.go", "regexp_test.go")
        for name in re.findall(r'"([^"\n\\]+)"', (library / file).read_text("utf-8"))
    }
    assert len(names) > 300
    for name in sorted(names):
        assert ours(name) == oracle.image(name)


PIECES = ["a", "b1", "A", "localhost", "docker.io", "index.docker.io", "library", "x.io", "scratch", ".", "-", "--",
          "_", "__",
          "/", "/", ":", ":5000", ":1.2", "@", "@sha256:" + "0" * 64, "@sha512:" + "f" * 128, "@sha256:" + "0" * 40,
          "[::1]", "é", " ", "$"]  # fmt: skip


@examples(2000)
@given(st.lists(st.sampled_from(PIECES), max_size=7).map("".join))
def test_random_names_as_docker(oracle: Oracle, text: str) -> None:
    assert ours(text) == oracle.image(text)
