"""Secrets in files: what is found, what is let be, and that no value is ever shown."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from image.builders import file, whiteout

from dfopt.analysis.secrets import shapes
from dfopt.knowledge import table
from dfopt.review.disclosure import disclosed, environment, masked, setting
from dfopt.review.model import ImageFinding
from dfopt.review.secret_scan import SCANNED, mask
from review.making import image, review, step

KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\n"
    + "MIIEpAIBAAKCAQEA7bq1xR0vQk3zJm8yPq4uVw2s9LhTfXcNdEgZoKiYrSaCbHtU\n" * 3
    + "-----END"
)
# one token of each shape, made up
TOKENS = {
    "an AWS access key": "AKIA" + "QYLPMN5HHHFPZAM2",
    "a GitHub token": "ghp_" + "R7xK2mQ9vL4tW8zB3nY6cJ1dH5gF0sAeUiOp",
    "a GitLab token": "glpat-" + "x7Kq2Zr9Lm4Wt8Vb3NyC",
    "a Slack token": "xoxb-" + "8472910465-1936-Qw7eRt2yUi9o",
    "a Stripe key": "sk_live_" + "Zx8Cv2Bn6Mq4Ws1Ed9Rf",
    "a Google API key": "AIza" + "SyB7kQ2mX9vL4tW8zR3nY6cJ1dH5gF0sAeU",
    "an npm token": "npm_" + "R7xK2mQ9vL4tW8zB3nY6cJ1dH5gF0sAeUiOp",
    "a PyPI token": "pypi-AgEIcHlwaS5vcmc" + "CJDk3ZmY4LTRlNzUtNGVlMC1hYzM4LWI3ZDQxNjUyNGIxMwACKlsz",
    "a Docker Hub token": "dckr_pat_" + "Qw7eRt2yUi9oPa4sDf6gHj",
    "a Hugging Face token": "hf_" + "QwErTyUiOpAsDfGhJkLzXcVbNmQwErTyUi",
    "a SendGrid key": "SG." + "Qw7eRt2yUi9oPa4sDf6gHj" + "." + "k1Lz3Xc5Vb7Nm9Qw2Er4Ty6Ui8Op0As1Df3Gh5Jk7Lz",
    "an Anthropic key": "sk-ant-api03-" + "Qw7eRt2yUi9oPa4sDf6gHj8kLz" * 4,
    "an OpenAI key": "sk-proj-" + "Qw7eRt2yUi9oPa4sDf6g" + "T3BlbkFJ" + "Zx8Cv2Bn6Mq4Ws1Ed9Rf",
    "a private key": KEY,
    "a signed token": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiI3NDI5MSJ9" + ".Qw7eRt2yUi9oPa4sDf6gHj8kLz",
}


def secrets(path: Path) -> list[ImageFinding]:
    return [each for each in review(path).findings if each.rule == "secret"]


def test_every_shape_has_a_token_here_and_marks_that_lead_to_it() -> None:
    known = table("secrets")
    assert set(TOKENS) == set(known["shapes"])
    assert set(known["leads"]) == set(known["marks"]["any"])
    assert {name for names in known["leads"].values() for name in names} == set(known["shapes"])
    for name, token in TOKENS.items():
        assert name == "a private key" or re.fullmatch(r"[A-Za-z0-9_.-]{20,}", token)  # see watch._WORD
        assert [what for what, _, _ in shapes(token, 0, len(token))] == [name]


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_in_a_file(name: str, tmp_path: Path) -> None:
    content = f"# settings\nvalue = '{TOKENS[name]}'\n"
    found = secrets(image(tmp_path / "i.tar", [[file("etc/app.conf", content)]]))
    assert [(each.path, each.layer) for each in found] == [("/etc/app.conf", 0)]
    assert f"{name} in /etc/app.conf:2: " in found[0].message
    assert TOKENS[name][6:] not in found[0].message


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("if b'-----BEGIN RSA PRIVATE KEY-----' in data: raise", id="text-about-keys"),
        pytest.param("key = AKIAIOSFODNN7EXAMPLE", id="the-issuer's-example"),
        pytest.param("ghp_" + "x" * 36, id="placeholder"),
        pytest.param("\0\1\2 " + TOKENS["a GitHub token"], id="binary"),
        pytest.param("npm_config_cache_and_other_names_of_settings", id="a-name"),
        pytest.param("x" * (SCANNED + 10) + TOKENS["a GitHub token"], id="behind-what-is-searched"),
    ],
)
def test_what_is_no_secret_or_not_searched(content: str, tmp_path: Path) -> None:
    assert secrets(image(tmp_path / "i.tar", [[file("etc/app.conf", content)]])) == []


def test_a_token_that_spans_what_the_tar_gives_at_once(tmp_path: Path) -> None:
    """The reader hands on pieces of a mebibyte; the token lies across the first border of the stream."""
    token = TOKENS["a GitHub token"]
    filler = os.urandom((1 << 20) - 512 - 512 - 20)
    found = secrets(image(tmp_path / "i.tar", [[file("bin", filler), file("text", " " * 10 + token + "\n" * 900000)]]))
    assert [each.path for each in found] == ["/text"]


def test_it_is_told_what_was_not_searched(tmp_path: Path) -> None:
    notes = review(image(tmp_path / "i.tar", [[file("a", "x" * (SCANNED + 1))]])).notes
    assert notes == ("of 1 text file larger than 1 MiB only the first MiB was searched for secrets",)


@pytest.mark.parametrize(
    ("path", "content", "what"),
    [
        ("root/.netrc", "machine x login y password Kq8-zzTop\n", "credentials in /root/.netrc:1"),
        ("root/.npmrc", "a=b\n//r.example.com/:_authToken=Kq8zzTop\n", "credentials in /root/.npmrc:2"),
        ("app/.env", "DEBUG=1\nDB_PASSWORD=Kq8zzTop\n", "credentials in /app/.env:2"),
        ("root/.git-credentials", "https://me:Kq8zzTop@git.example.com\n", "credentials in /root/.git-credentials:1"),
        ("root/.pgpass", "db:5432:app:me:Kq8zzTop\n", "credentials in /root/.pgpass:1"),
        ("etc/store.p12", "\x30\x82\0\0", "a key store in /etc/store.p12: 4 bytes"),
    ],
)
def test_files_that_hold_credentials(path: str, content: str, what: str, tmp_path: Path) -> None:
    found = secrets(image(tmp_path / "i.tar", [[file(path, content.encode("latin-1"))]]))
    assert len(found) == 1
    assert what in found[0].message
    assert "Kq8" not in found[0].message


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("root/.npmrc", "cache=/tmp\n//r.example.com/:_authToken=${NPM_TOKEN}\n"),
        ("app/.env", "DEBUG=1\nDB_PASSWORD=\n"),
        ("root/.netrc", "# nothing\n"),
    ],
)
def test_files_that_could_but_do_not(path: str, content: str, tmp_path: Path) -> None:
    assert secrets(image(tmp_path / "i.tar", [[file(path, content)]])) == []


def test_a_deleted_secret_is_still_there(tmp_path: Path) -> None:
    layers = [[file("root/key", KEY)], [file("x", "1")], [whiteout("root/key")]]
    found = secrets(image(tmp_path / "i.tar", layers))
    assert [(each.level, each.layer) for each in found] == [("error", 0)]
    assert found[0].message.endswith("layer 2 removes the file, but layer 0 (base image) still holds it")


def test_an_overwritten_one_too(tmp_path: Path) -> None:
    found = secrets(image(tmp_path / "i.tar", [[file("key", KEY)], [file("key", "none")]]))
    assert "layer 1 removes the file" in found[0].message


@pytest.mark.parametrize(
    ("path", "level"),
    [
        ("usr/lib/x/tests/server.pem", "note"), ("go/tls/example_test.go", "note"), ("app/test_keys.py", "note"),
        ("app/a.spec.ts", "note"), ("srv/latest/server.pem", "error"), ("app/contest.py", "error"),
    ],
)  # fmt: skip
def test_places_of_tests_and_examples_are_notes(path: str, level: str, tmp_path: Path) -> None:
    found = secrets(image(tmp_path / "i.tar", [[file(path, KEY)]]))
    assert [each.level for each in found] == [level]


# -- what an image says about itself -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("RUN |1 NPM_TOKEN=Kq8zzTop /bin/sh -c npm ci # buildkit", ["Kq8zzTop"]),
        ("RUN |2 A=1 DB_PASSWORD=Kq8 zzTop /bin/sh -c x", ["Kq8"]),
        ('ENV API_KEY="Kq8 zzTop"', ["Kq8 zzTop"]),
        ("/bin/sh -c #(nop)  ENV SECRET=Kq8zzTop", ["Kq8zzTop"]),
        ("RUN git clone https://me:Kq8zzTop@git.acme.io/x", ["Kq8zzTop"]),
        (f"RUN curl -H 'token: {TOKENS['a GitHub token']}' x", [TOKENS["a GitHub token"]]),
        ("RUN |1 NPM_TOKEN=$X /bin/sh -c echo $NPM_TOKEN", []),
        ("ENV PASSWORD_FILE=/run/secrets/x TOKEN=", []),
        ("RUN make KEY=value", []),
    ],
)
def test_secrets_in_the_history(text: str, values: list[str]) -> None:
    assert [text[start:end] for _, start, end in disclosed(text)] == values
    assert all(value not in masked(text) for value in values)


def test_a_build_argument_is_told_once(tmp_path: Path) -> None:
    history = [step(f"RUN |1 TOKEN=Kq8zzTop /bin/sh -c {name}") for name in "abc"]
    found = secrets(image(tmp_path / "i.tar", [[file("a", "1")], [file("b", "1")], [file("c", "1")]], history))
    assert [each.message for each in found] == [
        "the value of TOKEN in the image's history (entry 0 and 2 more): **** (8 characters)"
    ]


def test_environment_and_labels(tmp_path: Path) -> None:
    settings = {"Env": ["DB_PASSWORD=Kq8zzTop", "PATH=/bin", "PASSWORD_MIN=8"], "Labels": {"api.token": "Kq8zzTop"}}
    assert [place for place, _, _ in environment(settings)] == ["ENV DB_PASSWORD", "LABEL api.token"]
    messages = [each.message for each in secrets(image(tmp_path / "i.tar", [[file("a", "1")]], **settings))]
    assert len(messages) == 2
    assert all("Kq8" not in message for message in messages)


def test_masks() -> None:
    assert mask("short") == "**** (5 characters)"
    assert mask("ghp_" + "x" * 36) == "ghp_**** (40 characters)"
    assert setting("Env.DB_PASSWORD", "Kq8zzTop") == "**** (8 characters)"
    assert setting("Env.PATH", "/bin") == "/bin"
    assert setting("User", None) == "not set"
