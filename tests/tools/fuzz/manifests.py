"""Inputs of the readers of image names in Kubernetes manifests, kustomizations, values of Helm charts, and bake files,
with a lock file that knows the images: what can be pinned is."""

from __future__ import annotations

import json
import random

from tests.tools.fuzz import seeds
from tests.tools.fuzz.definitions import BAKE, BAKE_JSON
from tests.tools.fuzz.model import Input

DIGEST = "sha256:" + "1" * 64
LOCK = "version = 1\n" + "".join(
    f'[[image]]\nreference = "{name}"\ndigest = "{DIGEST}"\nmedia-type = "application/vnd.oci.image.index.v1+json"\n'
    for name in (
        "docker.io/library/nginx:1",
        "docker.io/library/debian:13",
        "ghcr.io/org/web:1",
        "docker.io/library/nginx:1.1",
    )
)
MANIFEST = b"""\
# what runs
apiVersion: v1
kind: ConfigMap
data:
  a: |
    {{ not yaml }
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {"a/b": "nginx:1"}}
spec:
  template:
    spec: &pod
      initContainers:
      - {name: i, image: 'nginx:1'}
      containers:
      - name: web
        image: ghcr.io/org/web:1  # here
        ports: [{containerPort: 80}]
      - &side
        name: side
        image: "nginx:1"
      volumes:
      - name: v
        image: {reference: nginx:1, pullPolicy: Always}
--- # a list
apiVersion: v1
kind: List
items:
- apiVersion: batch/v1
  kind: CronJob
  spec: {jobTemplate: {spec: {template: {spec: {containers: [{image: "nginx\\x3a1"}, {image: $IMAGE},
    {image: "{{ .Values.image }}"}, {image: nginx:1@sha256:%s}]}}}}}
- apiVersion: v1
  kind: Pod
  spec: {containers: [image: debian:13], ephemeralContainers: [{<<: {image: nginx:1}}]}
...
""" % (b"0" * 64)
MANIFEST_JSON = json.dumps({
    "apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "spec": {"template": {"spec": {"containers": [
            {"name": "\u00e9\U0001f680", "image": "nginx:1", "args": [None, True, 1.5e3, "\n\\"]}, {"image": "$A"}]}}}},
        {"apiVersion": "v1", "kind": "Pod", "spec": {"initContainers": [{"image": "debian:13"}], "containers": []}},
    ],
}, indent="\t").encode()  # fmt: skip
KUSTOMIZATION = b"""\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [web.yaml]
images:
- name: web # the one of web.yaml
  newName: ghcr.io/org/web
  newTag: "1" # why
- {name: nginx, newTag: '1'}
- name: debian
  digest: sha256:%s
  newTag: v13
- name: nginx
  newTag: 1.10
- name: b
  newName: "b:${TAG}"
- newTag: v1 # {"$imagepolicy": "flux-system:web:tag"}
  name: web
- {"name": "nginx", "newTag": "1", "digest": ""}
""" % (b"0" * 64)
VALUES = b"""\
# Values of a chart
global: {imageRegistry: "", storageClass: ""}
image:
  registry: docker.io
  repository: library/nginx
  tag: "1" # the app's
  digest: ""
  pullPolicy: IfNotPresent
  pullSecrets: []
sidecar: {image: "nginx:1", resources: {}}
initImage: nginx:1 # c
metrics:
  image: {repository: ghcr.io/org/web, tag: 1, digest: sha256:%s}
  imageTag: 2
  exporterImage: &e
    repository: nginx
    tag: 1.10
    digest: ''
other: *e
waitImage: {repository: '{{ .Values.x }}', tag: "", digest: ~, <<: *e}
""" % (b"0" * 64)
INLINE = b"""\
target "a" {
  contexts = { base = "docker-image://nginx:1", up = "docker-image://debian:13", x = "docker-image://${X}" }
  dockerfile-inline = <<-EOT
    FROM debian:13
    RUN apt-get update && apt-get install -y curl
      # $${X} and %%{Y}
    CMD echo $HOME
  EOT
}
target "b" {
  dockerfile-inline = <<EOT
FROM nginx:1
RUN apt-get update \\
 && apt-get install -y curl

RUN echo ${X}
EOT
}
target "c" { dockerfile-inline = "FROM nginx:1\\nRUN true" }
"""
INLINE_JSON = b'{"target": {"a": {"contexts": {"x": "docker-image://nginx:1", "y": "docker-image://a\\u003a1"}, "dockerfile-inline": "FROM nginx:1\\nRUN apt-get install -y curl\\n"}, "b": [{"contexts": {"z": "docker-image://debian:13"}}]}}'
FILES = {
    "kubernetes": (("web.yaml", MANIFEST), ("a/web.yml", MANIFEST), ("web.json", MANIFEST_JSON)),
    "kustomize": (("kustomization.yaml", KUSTOMIZATION), ("a/Kustomization", KUSTOMIZATION)),
    "helm": (("values.yaml", VALUES), ("chart/values-prod.yml", VALUES)),
    "bake": (
        ("docker-bake.hcl", INLINE),
        ("docker-bake.json", INLINE_JSON),
        ("docker-bake.hcl", BAKE),
        ("docker-bake.json", BAKE_JSON),
    ),
}


def manifest(reader: str, chance: random.Random) -> Input:
    path, content = chance.choice(FILES[reader])
    form = chance.choice(("text", "concise", "json", "sarif", "github", "gitlab", "junit"))
    argv, writes = chance.choice((
        (("pin", "--offline", "--write", path), True), (("pin", "--offline", "--write", "--hosts", reader, "."), True),
        (("fix", "--hosts", "all", "--check", "."), False), (("fix", "--hosts", reader, "--write", "--select", "all", "."), True),
        (("check", "--hosts", "all", "--show-refusals", "--output-format", form, "."), False),
    ))  # fmt: skip
    return Input(
        reader, {"Dockerfile": seeds.GOOD, "dfopt.lock": LOCK.encode(), path: content}, argv, (path,), writes=writes
    )
