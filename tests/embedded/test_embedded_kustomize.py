"""Image names that kustomizations choose."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.running import dfopt
from ruamel.yaml import YAML

from dfopt.embedded.kustomize import KustomizationReader
from embedded.test_embedded_kubernetes import NEW, OLD, Digests, lock, run

ENTRY = 'images:\n- name: web\n  newName: nginx\n  newTag: "1" # why\n- name: other\n  newName: b\n'


def replaced(text: str) -> list[str]:
    """What kustomize makes of `NAME:0`, by the entries in order."""
    names = []
    for entry in YAML(typ="safe").load(text)["images"]:
        tag, digest = entry.get("newTag"), entry.get("digest")
        name = entry.get("newName") or entry["name"]
        name += f":{tag}" if tag else "" if digest else ":0"
        names.append(f"{name}@{digest}" if digest else name)
    return names


@pytest.mark.parametrize(
    ("text", "asked", "behind", "inserted"),
    [
        pytest.param("images:\n- name: n\n  newTag: 1.25.3\n", "n:1.25.3", "1.25.3", "\n  digest: NEW", id="tag"),
        pytest.param("images:\n  - newTag: v1 # c\n    newName: ghcr.io/o/a\n    name: a\n# end\n", "ghcr.io/o/a:v1",
                     "# c", "\n    digest: NEW", id="first-key-and-comment"),
        pytest.param("images:\r\n- name: a\r\n  newTag: '1'\r\n", "a:1", "'1'", "\r\n  digest: NEW", id="crlf"),
        pytest.param("images:\n- name: a\n  newTag: v1", "a:v1", "v1", "\n  digest: NEW", id="no-final-newline"),
        pytest.param("images: [{name: a, newTag: v1}] # c\n", "a:v1", "v1", ", digest: NEW", id="braces"),
        pytest.param('{"images": [{"name": "a", "newTag": "1"}]}\n', "a:1", '"1"', ', "digest": "NEW"', id="json"),
        pytest.param('images:\n- name: a\n  digest: ""\n  newTag: "1"\n', "a:1", 'digest: "', "NEW", id="empty-digest"),
        pytest.param("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nimages:\n- name: a\n  newTag: b\n",
                     "a:b", "newTag: b", "\n  digest: NEW", id="component"),
    ],
)  # fmt: skip
def test_an_entry_is_pinned_by_a_key_behind_its_tag(text: str, asked: str, behind: str, inserted: str) -> None:
    facts = Digests()
    result = run("kustomize", text, facts=facts)
    assert facts.asked == [asked]
    assert result.output == text.replace(behind, behind + inserted.replace("NEW", NEW))
    assert replaced(result.output) == [f"{asked}@{NEW}"]
    assert not run("kustomize", result.output).changed


@pytest.mark.parametrize(
    "entry",
    [
        f"- name: a\n  newTag: v1\n  digest: {OLD}\n",
        f"- name: a\n  digest: {OLD} # c\n  newTag: v1\n",
        f"- digest: '{OLD}'\n  name: a\n  newTag: v1\n",
        f'- {{"name": "a", "newTag": "v1", "digest": "{OLD}"}}\n',
    ],
)
def test_a_digest_is_replaced_by_an_update_alone(entry: str) -> None:
    text = f"images:\n{entry}"
    assert not run("kustomize", text).changed
    result = run("kustomize", text, update=True)
    assert result.output == text.replace(OLD, NEW)
    assert not run("kustomize", result.output, update=True).changed


def test_a_digest_without_a_tag_stays_as_it_is() -> None:
    text = f"images:\n- name: a\n  digest: {OLD}\n"
    facts = Digests()
    assert (run("kustomize", text, update=True, facts=facts).output, facts.asked) == (text, [])


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("{name: a, newName: b}", "its resources say which tag it has"),
        ("{name: a, newTag: 1.10}", "its newTag is no text, which kustomize refuses"),
        ("{name: a, newTag: v1, tagSuffix: -x}", "what tagSuffix adds to it is not known"),
        ("{name: a, newTag: v1, newTag: v2}", "a key stands in it twice"),
        ("{newTag: v1}", "it has no name"),
        ("{name: a, newTag: [v1]}", "a value is no text"),
        ("{name: a, newTag: v1, digest: {}}", "a value is no text"),
        ("{name: a, newTag: '${TAG}'}", "it is a template that another program fills in"),
        ("{name: a, newTag: v1, digest: }", "its digest is not written as text on one line"),
        ('{name: a, newTag: "v\\x31"}', "its newTag is not written as plain or quoted text on one line"),
        ('\n    name: a\n    newTag: v1 # {"$imagepolicy": "flux-system:a:tag"}',
         "Flux changes its newTag, and would leave the digest of the old one"),
    ],
)  # fmt: skip
def test_entries_that_are_refused(entry: str, reason: str) -> None:
    text = f"images:\n  - {entry.strip()}\n"
    result = run("kustomize", text)
    assert not result.changed
    assert [report.reason for report in result.reported] == [reason]


@pytest.mark.parametrize("text", ["resources: [a]\n", "images:\n", "images: a\n", "images: [a, {}]\n", "", "- a\n"])
def test_what_chooses_no_image_is_left_alone(text: str) -> None:
    result = run("kustomize", text)
    assert (result.changed, result.problem) == (False, None)


def test_what_is_no_yaml_is_a_problem_with_its_place() -> None:
    problem = run("kustomize", "images:\n- {name: a\n").problem
    assert problem is not None
    assert (problem.line, problem.column) == (3, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# why", "# how"), ('newTag: "1"', 'newTag: "2"'), ("newName: nginx", "newName: b"),
        ("- name: web", "- name: w"),
        (f"digest: {NEW}", f"digest: {OLD}"), (f"\n  digest: {NEW}", f"\n  digest: {NEW}\n  tagSuffix: x"),
        (f"\n  digest: {NEW}", f"\n\n  digest: {NEW}"), (f"\n  digest: {NEW}", f"\n  digest: {NEW} # x"),
        ("  newName: b\n", f"  newName: b\n  digest: {NEW}\n"), (f"digest: {NEW}", f"digests: {NEW}"),
    ],
)  # fmt: skip
def test_the_gate_stops_damage(old: str, new: str) -> None:
    reader = KustomizationReader()
    parts = reader.parts(ENTRY)
    texts = [f"{part.text}@{NEW}" if part.text else "" for part in parts]
    good = run("kustomize", ENTRY).output
    assert reader.check(ENTRY, good, parts, texts) == ""
    assert old in good
    assert reader.check(ENTRY, good.replace(old, new), parts, texts) != ""


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
def test_pin_takes_a_named_kustomization(tmp_path: Path, name: str) -> None:
    lock(tmp_path)
    (tmp_path / name).write_text(ENTRY)
    done = dfopt("pin", "--offline", "--write", name, cwd=tmp_path, driven=False)
    assert done.returncode == 0, done.stderr
    assert b"1 image in 1 file; 1 changed" in done.stderr
    assert (tmp_path / name).read_text() == ENTRY.replace("# why\n", f"# why\n  digest: {NEW}\n")


def test_a_directory_is_searched_for_kustomizations(tmp_path: Path) -> None:
    lock(tmp_path)
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "kustomization.yaml").write_text(ENTRY)
    done = dfopt("pin", "--offline", "--write", "--hosts", "all", cwd=tmp_path, driven=False)
    assert done.returncode == 0, done.stderr
    assert NEW in (tmp_path / "base" / "kustomization.yaml").read_text()
