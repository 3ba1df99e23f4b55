"""The tables of images of many makers: their rows, and that a tag which no row holds for is not known."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dfopt import knowledge
from dfopt.analysis.users import base_users
from dfopt.facts import NO_FACTS
from dfopt.ir.base_images import base_facts
from dfopt.ir.program import Program
from dfopt.knowledge import table
from dfopt.syntax.dockerfile import parse

TABLES = Path(knowledge.__file__).parent
USERS: list[dict[str, Any]] = table("image_users")["image"]
ROWS: list[dict[str, Any]] = table("maker_images")["image"]
KEYS = {"match", "tag", "family", "user", "why", "bash", "find", "useradd"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["match"][0] + row.get("tag", ""))
def test_row(row: dict[str, Any]) -> None:
    assert set(row) <= KEYS
    assert row.get("family", "debian") in table("maker_images")["family"]
    re.compile(row.get("tag", ""))
    assert not any(name.startswith("docker.io/") or "*" in name.partition("/")[0] for name in row["match"])
    assert not {"user", "why"} <= set(row), "who does not run as root needs no reason against a user"
    assert "find" not in row or row.get("family") == "rhel", "the others have find by their family"


@pytest.mark.parametrize("row", USERS, ids=lambda row: row["match"][0] + row.get("tag", ""))
def test_row_of_a_user(row: dict[str, Any]) -> None:
    assert set(row) <= {"match", "tag", "user", "root", "own", "why", "useradd"}
    assert row.keys() & {"user", "root", "own", "why"}, "it says nothing"
    assert "user" not in row or not row.keys() & {"root", "own", "why"}, "who is not root is not root"
    assert row.get("own", {"name": "", "id": "0"}).keys() == {"name", "id"}
    re.compile(row.get("tag", ""))
    assert not any(name.startswith("docker.io/") or "*" in name.partition("/")[0] for name in row["match"])


def test_each_row_says_where_it_was_read() -> None:
    text = (TABLES / "maker_images.toml").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)((?:^#.*\n)*)^\[\[image\]\]$", text)
    assert len(rows) == len(ROWS)
    assert all(re.search(r"[\w.-]+/[\w.-]+", above) for above in rows)


def users(image: str) -> tuple[bool | None, str]:
    program = Program(parse(f"FROM {image}\n"))
    assert program.final is not None
    known = base_users(program, program.final, NO_FACTS)
    return known.root, known.user


CASES = [
    ("flink:1.11.2-java8", True, ""),
    ("flink:2.2.0-java17", None, ""),
    ("flink:2.20.0", None, ""),
    ("docker.elastic.co/kibana/kibana:7.6.2", False, "1000"),
    ("kibana:5.6.12", True, ""),
    ("kibana:6.5.4", False, "1000"),
    ("cgr.dev/chainguard/wolfi-base", True, ""),
    ("cgr.dev/chainguard/python:latest-dev", False, "65532"),
    ("cgr.dev/chainguard/sold-alone", None, ""),
    ("odoo:17", False, "odoo"),
    ("docker:27-dind-rootless", False, "1000"),
    ("docker:27-dind", True, ""),
    ("haproxy:2.2", True, ""),
    ("haproxy:2.4-alpine", False, "99"),
    ("gcr.io/distroless/base-debian12:debug-nonroot", False, "65532"),
    ("gcr.io/distroless/base-debian12:debug", True, ""),
    ("bitnami/minideb:bookworm", True, ""),
    ("quay.io/prometheus/busybox:glibc", True, ""),
    ("gitea/gitea:1.21-rootless", False, "1000"),
    ("gradle:4.10.3-jdk8", False, "1000"),
    ("wordpress:cli-php8.3", False, "82"),
    ("elasticsearch:7.17.3", True, ""),
    ("elasticsearch:8.11.0", False, "1000"),
    ("apache/apisix:2.9-centos", True, ""),
    ("apache/apisix:2.15.0-centos", None, ""),
    ("apache/airflow:2.10.4", False, "50000"),
    ("apache/airflow:slim-latest", None, ""),
    ("rocker/r-ver:4.6.1", True, ""),
    ("rocker/binder:4.6.1", None, ""),
    ("docker.io/grafana/k6:2.2.0-with-browser@sha256:0", False, "12345"),
    ("ghcr.io/astral-sh/uv:0.9.2-python3.13-bookworm-slim", True, ""),
    ("ghcr.io/astral-sh/uv:python3.14-dhi", None, ""),
    ("hseeberger/scala-sbt:8u242_1.3.8_2.13.1", True, ""),
    ("hseeberger/scala-sbt:8u212_1.2.8_2.12.8", None, ""),
    ("openeuler/openeuler:24.03-lts", True, ""),
    ("openeuler/redis:7.2", None, ""),
    ("openeuler/distroless-base-nonroot:2.38-oe2403lts", False, "nonroot"),
    ("registry.access.redhat.com/jboss-eap-7/eap74:1", None, ""),
    ("phpswoole/swoole:php8.5", True, ""),
    ("phpswoole/swoole:latest", None, ""),
]


@pytest.mark.parametrize(("image", "root", "user"), CASES, ids=[case[0] for case in CASES])
def test_users(image: str, root: bool | None, user: str) -> None:
    assert users(image) == (root, user)


FAMILIES = [
    ("phpswoole/swoole:php8.5-alpine", "alpine", None),
    ("phpswoole/swoole:php8.5", "debian", True),
    ("registry.k8s.io/debian-base-amd64:0.3", "debian", False),
    ("openjdk:15", "rhel", True),
    ("openjdk:17-slim", "debian", True),
    ("openjdk:11", "debian", True),
    ("amazoncorretto:21-al2023-headless", "rhel", True),
    ("eclipse-temurin:8u442-b06-jre", "ubuntu", True),
]


@pytest.mark.parametrize(("image", "family", "bash"), FAMILIES, ids=[case[0] for case in FAMILIES])
def test_families(image: str, family: str, bash: bool | None) -> None:
    facts = base_facts(image)
    assert facts is not None
    assert (facts.family, facts.bash) == (family, bash)
