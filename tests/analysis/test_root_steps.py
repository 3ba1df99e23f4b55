"""Which step proves that a base image runs as root, and which one does not: what a base with a user of its own, sudo
and directories that it may write to would let pass."""

from __future__ import annotations

import pytest

from dfopt.analysis.root_steps import root_step
from dfopt.analysis.users import base_users
from dfopt.facts import NO_FACTS
from dfopt.ir.program import Program
from dfopt.syntax.dockerfile import parse

BASE = "FROM registry.example.com/base:1\n"
PROVES = {
    "install": "RUN apt-get update && apt-get install -y make",
    "under-env": "RUN env A=1 useradd app",
    "set-e": "RUN set -e; useradd app; echo done",
    "create-user": "RUN useradd app",
    "linker-cache": "RUN make && ldconfig",
    "program": "RUN cp tool /usr/bin/tool",
    "into-directory": "RUN cp libtool.a /usr/lib",
    "into-directory-slash": "RUN mv tool /usr/bin/",
    "link": "RUN ln -s /opt/tool /usr/bin/tool",
    "sources": "RUN echo deb http://x/ y main > /etc/apt/sources.list.d/x.list",
    "file-of-etc": "RUN echo /opt/lib >> /etc/ld.so.conf",
    "link-in-etc": "RUN ln -sf /usr/share/zoneinfo/UTC /etc/localtime",
    "download": "RUN curl -o /usr/bin/tool https://example.com/tool",
    "mode-of-copied": "COPY start.sh /start.sh\nRUN chmod +x /start.sh",
    "mode-of-copied-into": "WORKDIR /app\nCOPY start.sh ./\nRUN chmod +x start.sh",
    "owner-of-copied": "COPY conf.ini /opt/app/conf.ini\nRUN chown app /opt/app/conf.ini",
    "copied-after-others": "RUN make\nCOPY start.sh /start.sh\nRUN chmod +x /start.sh",
}
PROVES_NOT = {
    "nothing": "RUN make",
    "user": "USER app\nRUN useradd app",
    "sudo": "RUN sudo apt-get update && sudo apt-get install -y make",
    "sudo-shell": "RUN sudo sh -c 'useradd app'",
    "let-pass": "RUN useradd app || true",
    "not-last": "RUN useradd app; echo done",
    "copy-let-pass": "RUN cp tool /usr/bin/tool; echo done",
    "write-let-pass": "RUN echo x > /etc/profile || true",
    "file-of-the-user": "RUN echo UTC > /etc/timezone",
    "maybe": "RUN if [ -f x ]; then useradd app; fi",
    "simulated": "RUN apt-get install -s make",
    "asks": "RUN ldconfig -p | grep libc && ldconfig -p",
    "defaults": "RUN useradd -D",
    "keys": "RUN apt-key list",
    "directory-that-may-be-there": "RUN mkdir -p /usr/share/man/man1 /usr/lib/tool",
    "file-that-may-be-there": "RUN touch /etc/x.conf",
    "server-of-the-user": "RUN echo x > /etc/nginx/conf.d/x.conf",
    "data-of-the-user": "RUN echo x > /usr/share/jenkins/ref/plugins.txt",
    "modules-of-the-user": "RUN cp x.js /usr/lib/node_modules/x/x.js",
    "open-files": "RUN echo app:x:1:1::/: >> /etc/passwd",
    "no-overwriting": "RUN cp -n tool /usr/bin/tool",
    "local": "RUN cp tool /usr/local/bin/tool",
    "behind-sudo": "RUN sudo true && cp tool /usr/bin/tool",
    "tee": "RUN echo x | tee /etc/profile",
    "mode-of-own": "RUN chmod +x /start.sh",
    "mode-of-given": "COPY --chown=app start.sh /start.sh\nRUN chmod +x /start.sh",
    "mode-of-stage": "COPY --from=build /start.sh /start.sh\nRUN chmod +x /start.sh",
    "mode-of-archive": "ADD start.tar.gz /opt\nRUN chmod +x /opt/start.sh",
    "mode-of-directory": "COPY plugins /var/lib/app/plugins\nRUN chmod 755 /var/lib/app/plugins",
    "mode-let-pass": "COPY start.sh /start.sh\nRUN chmod +x /start.sh || true",
    "mode-behind-sudo": "COPY start.sh /start.sh\nRUN sudo chown app /start.sh\nRUN chmod +x /start.sh",
    "mode-behind-script": "COPY setup.sh start.sh /opt/\nRUN sh /opt/setup.sh\nRUN chmod +x /opt/start.sh",
    "mode-by-sudo": "COPY start.sh /start.sh\nRUN sudo chmod +x /start.sh",
    "copied-over-by-given": "COPY start.sh /start.sh\nCOPY --chown=app start.sh /start.sh\nRUN chmod +x /start.sh",
}


def found(text: str) -> bool:
    program = Program(parse(BASE + text + "\n"))
    assert program.final is not None
    return root_step(program, program.final) is not None


@pytest.mark.parametrize("text", PROVES.values(), ids=PROVES)
def test_what_proves_root(text: str) -> None:
    assert found(text)


@pytest.mark.parametrize("text", PROVES_NOT.values(), ids=PROVES_NOT)
def test_what_does_not(text: str) -> None:
    assert not found(text)


CREATES = [
    ("FROM debian:13", "useradd"),
    ("FROM alpine:3.22", "adduser"),
    ("FROM busybox:1.37", "lines"),
    ("FROM archlinux:latest", "useradd"),
    ("FROM amazoncorretto:25", "home"),
    ("FROM openjdk:17", "home"),
    ("FROM fedora:43", "useradd"),
    ("FROM registry.example.com/base:1\nRUN dnf install -y make", "home"),
    ("FROM registry.example.com/base:1\nRUN make", ""),
]


@pytest.mark.parametrize(("text", "create"), CREATES)
def test_how_a_user_is_created(text: str, create: str) -> None:
    program = Program(parse(text + "\n"))
    assert program.final is not None
    assert base_users(program, program.final, NO_FACTS).create == create
