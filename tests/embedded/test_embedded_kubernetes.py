"""Image names in Kubernetes manifests and in values of Helm charts."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.running import dfopt
from ruamel.yaml import YAML

from dfopt.embedded.kubernetes import ManifestReader
from dfopt.embedded.optimize import optimize_host
from dfopt.facts import Facts
from dfopt.pass_selection import Options
from dfopt.results import Result
from dfopt.source import Source

OLD, NEW = "sha256:" + "0" * 64, "sha256:" + "1" * 64
POD = "spec:\n  containers:\n  - image: nginx:1\n"


class Digests(Facts):
    def __init__(self) -> None:
        self.asked: list[str] = []

    def digest(self, image: str) -> str | None:
        self.asked.append(image)
        return NEW


def run(kind: str, text: str, update: bool = False, facts: Facts | None = None) -> Result:
    options = Options(("pin-digest",), (), ("safe",), {"pin-digest": {"update": update}})
    return optimize_host(Source("host", text), kind, options, facts or Digests())


def workload(version: str, kind: str, *keys: str, container: str = "containers") -> str:
    lines = [f"apiVersion: {version}", f"kind: {kind}"]
    lines += [f"{'  ' * depth}{key}:" for depth, key in enumerate(keys)]
    indent = "  " * len(keys)
    return "\n".join([*lines, f"{indent}{container}:", f"{indent}- name: a", f"{indent}  image: nginx:1  # here", ""])


TEMPLATE = ("spec", "template", "spec")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(workload("v1", "Pod", "spec"), id="pod"),
        pytest.param(workload("v1", "PodTemplate", "template", "spec"), id="pod-template"),
        pytest.param(workload("v1", "ReplicationController", *TEMPLATE), id="replication-controller"),
        pytest.param(workload("apps/v1", "Deployment", *TEMPLATE), id="deployment"),
        pytest.param(workload("apps/v1", "StatefulSet", *TEMPLATE), id="stateful-set"),
        pytest.param(workload("apps/v1", "DaemonSet", *TEMPLATE), id="daemon-set"),
        pytest.param(workload("apps/v1", "ReplicaSet", *TEMPLATE), id="replica-set"),
        pytest.param(workload("batch/v1", "Job", *TEMPLATE), id="job"),
        pytest.param(workload("batch/v1beta1", "CronJob", "spec", "jobTemplate", *TEMPLATE), id="cron-job"),
        pytest.param(workload("v1", "Pod", "spec", container="initContainers"), id="init"),
        pytest.param(workload("v1", "Pod", "spec", container="ephemeralContainers"), id="ephemeral"),
        pytest.param(
            "apiVersion: v1\nkind: Pod\nspec:\n  volumes:\n  - image: {reference: nginx:1}\n", id="image-volume"
        ),
        pytest.param(workload("v1", "Pod", "spec").replace("\n", "\r\n"), id="crlf"),
        pytest.param("\ufeff# \u00e9\U0001f680\n" + workload("v1", "Pod", "spec"), id="bom-emoji"),
        pytest.param(workload("v1", "Pod", "spec").replace("nginx:1", "'nginx:1'"), id="quoted"),
        pytest.param('{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": "nginx:1"}]}}', id="json"),
        pytest.param(
            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, spec: {containers: [image: nginx:1]}}\n",
            id="list",
        ),
        pytest.param(
            "kind: ConfigMap\ndata:\n  a: |\n    {{ x }\n   image: nginx:2\n--- # next\napiVersion: v1\n"
            f"kind: Pod\n{POD}...\n---\n",
            id="another-document-is-not-yaml",
        ),
    ],
)
def test_a_workload_is_pinned_and_nothing_else_moves(text: str) -> None:
    result = run("kubernetes", text)
    assert result.output == text.replace("nginx:1", f"nginx:1@{NEW}")
    assert [fix.name for fix in result.applied] == ["pin-digest"]
    assert not run("kubernetes", result.output).changed


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(workload("v1", "Deployment", *TEMPLATE), id="another-group"),
        pytest.param(workload("argoproj.io/v1alpha1", "Deployment", *TEMPLATE), id="custom"),
        pytest.param(workload("v1", "Pod", "metadata"), id="elsewhere"),
        pytest.param(workload("v1", "ConfigMap", "spec"), id="no-workload"),
        pytest.param(workload("v1", "Pod", "spec").replace("apiVersion: v1\n", ""), id="no-version"),
        pytest.param("a: [\n", id="not-yaml-and-no-workload"),
        pytest.param("- kind: Pod\n", id="sequence"),
    ],
)
def test_what_is_no_workload_is_left_alone(text: str) -> None:
    result = run("kubernetes", text)
    assert (result.output, result.reported, result.problem) == (text, (), None)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ('"{{ .Values.image }}:1"', "it is a template that another program fills in"),
        ("nginx:${TAG}", "it holds a variable"),
        ("&a nginx:1", "it is not written as plain or quoted text on one line"),
        (">-\n      nginx:1\n", "it is not written as plain or quoted text on one line"),
        ('"nginx\\x3a1"', "it is not written as plain or quoted text on one line"),
    ],
)
def test_names_that_are_refused(image: str, reason: str) -> None:
    text = workload("v1", "Pod", "spec").replace("nginx:1", image) + "  - image: nginx:2\n"
    result = run("kubernetes", text)
    assert result.output == text.replace("nginx:2", f"nginx:2@{NEW}")
    assert [report.full_message for report in result.reported] == [f"this image's name is left alone: {reason}"]


def test_a_template_that_is_no_yaml_is_refused_with_its_place() -> None:
    text = "apiVersion: v1\nkind: Pod\n{{- if .Values.x }}\n" + POD
    result = run("kubernetes", text)
    assert (result.output, result.problem) == (text, None)
    (report,) = result.reported
    assert report.reason == "it is a template: what it says is known once Helm has filled it in"
    assert text[report.start : report.end] == "{{"


def test_what_is_no_yaml_is_a_problem_with_its_place() -> None:
    result = run("kubernetes", "a: 1\n---\nkind: Pod\nspec: [\n")
    assert result.problem is not None
    assert (result.problem.line, result.problem.column) == (5, 1)


def test_a_workload_of_more_than_half_a_megabyte_is_a_problem() -> None:
    result = run("kubernetes", f"kind: Pod\na: {'x' * (512 << 10)}\n")
    assert result.problem is not None
    assert "more than 524288 characters" in result.problem.message


def image_of(text: str) -> str:
    """The image that a template of the usual form makes of values."""
    image = YAML(typ="safe").load(text)["image"]
    if isinstance(image, str):
        return image
    name = "/".join(part for part in (image.get("registry"), image["repository"]) if part)
    return f"{name}@{image['digest']}" if image["digest"] else f"{name}:{image['tag']}"


@pytest.mark.parametrize(
    ("text", "asked", "image"),
    [
        pytest.param("image: org/app:1 # c\n", "org/app:1", f"org/app:1@{NEW}", id="text"),
        pytest.param(
            'image: {registry: ghcr.io, repository: org/app, tag: "1", digest: ""} # c\n',
            "ghcr.io/org/app:1", f"ghcr.io/org/app@{NEW}", id="mapping",
        ),
        pytest.param(
            "image:\r\n  repository: org/app\r\n  # why\r\n  tag: 1.10\r\n  digest: '' # c\r\n  pullPolicy: Always\r\n",
            "org/app:1.1", f"org/app@{NEW}", id="number-crlf",
        ),
    ],
)  # fmt: skip
def test_values(text: str, asked: str, image: str) -> None:
    facts = Digests()
    result = run("helm", text, facts=facts)
    assert facts.asked == [asked]
    assert image_of(result.output) == image
    assert result.output.replace(f"@{NEW}", "").replace(NEW, "") == text
    assert not run("helm", result.output).changed


def test_a_digest_in_values_is_replaced_by_an_update_alone() -> None:
    text = f'image: {{repository: org/app, tag: "1", digest: {OLD}}}\nb:\n  image: org/app:1@{OLD}\n'
    assert not run("helm", text).changed
    assert run("helm", text, update=True).output == text.replace(OLD, NEW)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("image: nginx", "it has no tag: what the chart adds to it is not known"),
        ("image: localhost:5000/nginx", "it has no tag: what the chart adds to it is not known"),
        ("image: nginx:1\nimageTag: 2", "the chart may complete it by imageTag"),
        ("image: nginx:1\nregistry: ghcr.io", "the chart may complete it by registry"),
        ("image: {repository: nginx, tag: '1'}", "it has no key for a digest"),
        ("image: {repository: nginx, tag: '', digest: ''}", "it has no tag: the chart's templates choose one"),
        ("image: {repository: nginx, digest: ''}", "it has no tag: the chart's templates choose one"),
        ("image: {repository: nginx, tag: '1', digest: '', variant: slim}", "what variant adds to it is not known"),
        ("a: &a {x: 1}\nimage: {<<: *a, repository: n, tag: '1', digest: ''}", "what << adds to it is not known"),
        ("image: {repository: nginx, tag: '1', tag: '2', digest: ''}", "a key stands in it twice"),
        ("image: {repository: nginx, tag: '{{ .x }}', digest: ''}", "it is a template that another program fills in"),
        ("image: {repository: nginx, tag: '1', digest: }", "its digest is not written as text on one line"),
        (
            "global: {imageRegistry: ghcr.io}\nimage: {registry: '', repository: nginx, tag: '1', digest: ''}",
            "global.imageRegistry replaces its registry",
        ),
    ],
)
def test_values_that_are_refused(text: str, reason: str) -> None:
    result = run("helm", text + "\n")
    assert not result.changed
    assert [report.reason for report in result.reported] == [reason]


MANIFEST = workload("v1", "Pod", "spec") + "---\n# end\na: 1\n"
POD_JSON = """{
\t"apiVersion": "v1", "kind": "Pod",
\t"metadata": {"name": "nginx:1", "labels": {"a": "\\u00e9 \\ud83d\\ude80"}},
\t"spec": {"containers": [{"name": "a", "image": "nginx:1"}], "initContainers": [{"image": "nginx:1"}]}
}
"""
VALUES = 'image: {repository: nginx, tag: "1", digest: ""}\nsidecar: {image: "nginx:1"} # c\nb: 1\n'


@pytest.mark.parametrize(
    ("kind", "text", "old", "new"),
    [
        ("kubernetes", MANIFEST, "name: a", "name: b"),
        ("kubernetes", MANIFEST, "nginx:1", "nginx:2"),
        ("kubernetes", MANIFEST, "# end", "# And"),
        ("kubernetes", MANIFEST, "a: 1\n", "a: 2\n"),
        ("kubernetes", MANIFEST, "image: nginx:1", "image: 'nginx:1'"),
        ("kubernetes", MANIFEST, "kind: Pod", "kind: Pot"),
        ("kubernetes", POD_JSON, '"name": "a"', '"name": "b"'),
        ("kubernetes", POD_JSON, '"image": "nginx:1"', '"image": "nginx:2"'),
        ("kubernetes", POD_JSON, "\t", "  "),
        ("helm", VALUES, 'tag: "1"', 'tag: "2"'),
        ("helm", VALUES, 'digest: ""', f'digest: "{NEW}"'),
        ("helm", VALUES, 'digest: ""', 'digest: ","'),
        ("helm", VALUES, "# c", "# d"),
        ("helm", VALUES, "nginx:1", "nginx:2"),
    ],
)
def test_the_gate_stops_damage(kind: str, text: str, old: str, new: str) -> None:
    reader = ManifestReader(kind)
    parts = reader.parts(text)
    same = [part.text for part in parts]
    assert reader.check(text, text, parts, same) == ""
    assert old in text
    assert reader.check(text, text.replace(old, new), parts, same) != ""
    assert reader.check(text, text, parts, [part.text + "x" for part in parts]) != ""


def lock(directory: Path) -> None:
    (directory / "dfopt.lock").write_text(
        f'version = 1\n[[image]]\nreference = "docker.io/library/nginx:1"\ndigest = "{NEW}"\n'
        'media-type = "application/vnd.oci.image.index.v1+json"\n'
    )


def test_pin_takes_a_named_file_for_what_it_is(tmp_path: Path) -> None:
    lock(tmp_path)
    files = {
        "web.yaml": workload("apps/v1", "Deployment", *TEMPLATE), "values.yaml": "image: nginx:1\n",
        "compose.yaml": "services:\n  a:\n    image: nginx:1\n",
        "docker-bake.hcl": 'target "a" {\n  contexts = { x = "docker-image://nginx:1" }\n}\n',
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "Dockerfile").write_text("FROM nginx:1\n")
    done = dfopt("pin", "--offline", "--write", *files, cwd=tmp_path, driven=False)
    assert done.returncode == 0, done.stderr
    assert b"1 image in 5 files; 5 changed" in done.stderr  # the bake file's Dockerfile, too
    for name, text in files.items():
        assert (tmp_path / name).read_text() == text.replace("nginx:1", f"nginx:1@{NEW}")


def test_a_directory_is_searched_for_manifests_by_their_text(tmp_path: Path) -> None:
    lock(tmp_path)
    deployment = workload("apps/v1", "Deployment", *TEMPLATE)
    (tmp_path / "web.yaml").write_text(deployment)
    (tmp_path / "other.yaml").write_text("a: [\n")  # no manifest, and no YAML
    (tmp_path / "large.yaml").mkdir()
    done = dfopt("pin", "--offline", cwd=tmp_path, driven=False)
    assert b"0 images in 0 files" in done.stderr
    done = dfopt("pin", "--offline", "--write", "--hosts", "kubernetes,helm", cwd=tmp_path, driven=False)
    assert done.returncode == 0, done.stderr
    assert b"1 image in 1 file; 1 changed" in done.stderr
    assert (tmp_path / "web.yaml").read_text() == deployment.replace("nginx:1", f"nginx:1@{NEW}")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(POD_JSON, id="tabs-and-escapes"),
        pytest.param(f"\ufeff{POD_JSON}".replace("\n", "\r\n"), id="bom-crlf"),
        pytest.param('{"kind": "List", "apiVersion": "v1", "items": [1, ' + POD_JSON + "]}", id="list"),
        pytest.param(f"{POD_JSON.expandtabs()}---\n{POD_JSON.expandtabs()}", id="two-documents"),
    ],
)
def test_a_workload_in_json(text: str) -> None:
    result = run("kubernetes", text)
    assert result.output == text.replace('"image": "nginx:1"', f'"image": "nginx:1@{NEW}"')
    assert result.changed
    assert not run("kubernetes", result.output).changed


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("nginx\\u003a1", "it is not written in one piece"),
        ("$IMAGE", "it holds a variable"),
        ("{{ .image }}", "it is a template that another program fills in"),
    ],
)
def test_names_in_json_that_are_refused(image: str, reason: str) -> None:
    text = POD_JSON.replace('"image": "nginx:1"', f'"image": "{image}"')
    result = run("kubernetes", text)
    assert not result.changed
    assert {report.reason for report in result.reported} == {reason}


def test_json_that_is_no_manifest_is_left_alone(tmp_path: Path) -> None:
    lock(tmp_path)
    others = {
        "package.json": '{"image": "nginx:1"}',
        "arm.json": '{"resources": [{"apiVersion": "2019-01-01", "kind": "Pod"}] // comments are allowed here\n}',
        "large.json": POD_JSON[:-2] + f', "x": "{"x" * (512 << 10)}"' + "}",
    }  # fmt: skip
    for name, text in {**others, "pod.json": POD_JSON}.items():
        (tmp_path / name).write_text(text)
    done = dfopt("pin", "--offline", "--write", "--hosts", "kubernetes", cwd=tmp_path, driven=False)
    assert done.returncode == 0, done.stderr
    assert b"1 image in 1 file; 1 changed" in done.stderr
    assert NEW in (tmp_path / "pod.json").read_text()
    assert not any(NEW in (tmp_path / name).read_text() for name in others)


def test_anchors_are_one_place(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: Pod\nspec: &s\n  containers:\n  - &c {image: nginx:1}\n  initContainers: [*c]\n"
    result = run("kubernetes", text)
    assert result.output == text.replace("nginx:1", f"nginx:1@{NEW}")
