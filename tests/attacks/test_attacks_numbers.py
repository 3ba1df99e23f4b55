"""Numbers of thousands of digits, in every place where a Dockerfile has one: Python reads no more than 4,300."""

from __future__ import annotations

import pytest

from dfopt.facts import NO_FACTS
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.source import Source
from dfopt.units import whole_number

NINES, SEVENS = "9" * 5000, "7" * 5000
FILES = [
    "FROM alpine:3.NINES\nRUN apk add curl",
    "FROM alpine:NINES.1\nRUN apk add --update curl",
    'FROM golang:1.NINES\nWORKDIR /src\nCOPY . .\nRUN go build -o /app .\nCMD ["/app"]',
    'FROM golang:NINES\nWORKDIR /src\nCOPY . .\nRUN go mod download && go build -o /app .\nCMD ["/app"]',
    'FROM node:NINES\nWORKDIR /app\nCOPY package.json .\nRUN npm install\nCOPY . .\nCMD ["node","x.js"]',
    'FROM python:3.NINES\nWORKDIR /app\nCOPY . .\nRUN pip install flask\nCMD ["python","x.py"]',
    "FROM debian:NINES\nRUN apt-get update && apt-get install -y curl",
    "FROM ubuntu:NINES.04\nRUN apt-get update && apt-get install -y curl",
    "FROM nginx:1.NINES\nCOPY . /usr/share/nginx/html",
    "FROM node:22 AS b\nRUN npm run build\nFROM nginx:NINES\nCOPY --from=b /dist /usr/share/nginx/html",
    "FROM debian\nCOPY --from=NINES /a /b",
    "FROM debian\nEXPOSE NINES",
    "FROM debian\nEXPOSE NINES/tcp NINES-NINES",
    "FROM debian\nSTOPSIGNAL NINES",
    "FROM debian\nRUN useradd -u NINES x",
    "FROM debian\nUSER NINES",
    "FROM debian\nRUN chmod NINES /a && chmod 0SEVENS /a",
    "FROM debian\nRUN umask SEVENS && touch /a",
    "FROM debian\nHEALTHCHECK --retries=NINES --interval=NINESs CMD true",
    "FROM debian\nRUN <<NINES\ntrue\nNINES",
    "FROM debian\nRUN cat NINES<<A\ntrue\nA",
    "FROM debian\nCOPY --chmod=SEVENS a b",
    "FROM debian\nCOPY --chown=NINES:NINES a b",
    'FROM debian\nENV PORT=NINES\nCMD ["x"]',
    'FROM debian\nCMD ["gunicorn","-b","0.0.0.0:NINES"]',
    "# syntax=docker/dockerfile:1.NINES\nFROM debian\nRUN <<A\ntrue\nA",
    "# syntax=docker/dockerfile:NINES\nFROM debian\nCOPY <<A /x\ntrue\nA",
    "FROM debian\nRUN exit NINES",
    "FROM debian\nRUN sleep NINES; head -n NINES /a; tar --strip-components=NINES -xf a",
    "FROM debian\nRUN --mount=type=cache,target=/x,mode=SEVENS,uid=NINES,gid=NINES true",
    "FROM debian\nRUN echo $(( NINES )) ${a:NINES:NINES} $'\\SEVENS' $'\\xNINES'",
    "FROM debian:stretch AS dNINES\nFROM dNINES\nRUN true",
    'FROM mcr.microsoft.com/dotnet/sdk:NINES.0\nRUN dotnet publish -o /out\nCMD ["dotnet","/out/a.dll"]',
    "FROM maven:3-jdk-NINES\nRUN mvn package\nCMD java -jar target/a.jar",
    "FROM openjdk:NINES\nCMD java -jar a.jar",
    'FROM ruby:NINES.1\nRUN bundle install\nCMD ["ruby","a.rb"]',
    'FROM php:NINES\nRUN docker-php-ext-install pdo\nCMD ["php","a.php"]',
    'FROM rust:1.NINES\nRUN cargo build --release\nCMD ["target/release/a"]',
    'FROM nvidia/cuda:NINES.1-devel-ubuntu22.04\nRUN nvcc -o a a.cu\nCMD ["./a"]',
    "FROM fedora:NINES\nRUN dnf install -y curl",
    "FROM centos:NINES\nRUN yum install -y curl",
    "FROM opensuse/leap:NINES.1\nRUN zypper install -y curl",
    "FROM debian\nRUN pip install a==NINES\nRUN apt-get install -y postgresql-NINES phpNINES-cli openjdk-NINES-jdk python3.NINES",  # noqa: E501
    "FROM debian\nRUN curl https://x/NINES.tar.gz | tar xz && node -v\nRUN npm install -g npm@NINES",
    'FROM python:3.13\nWORKDIR /srv\nCOPY . .\nCMD ["python3", "-m", "http.server", "NINES"]',
    'FROM python:3.13\nWORKDIR /srv\nCOPY . .\nCMD ["python3", "-m", "http.server", "port"]',
]
SELECTIONS = (("all",), ("multi-stage",), ("swap-base",))


@pytest.mark.parametrize("text", FILES)
def test_long_numbers(text: str) -> None:
    source = Source("Dockerfile", text.replace("NINES", NINES).replace("SEVENS", SEVENS) + "\n")
    for select in SELECTIONS:
        for settings in ({}, {"swap-base": {"by": "trial"}}):
            result = optimize(source, Options(select, (), ("safe", "unsafe"), settings), NO_FACTS)
            assert result.problem is None or result.problem.line > 0


def test_whole_number() -> None:
    assert [whole_number(digits) for digits in ("0", "007", "9" * 18, NINES)] == [0, 7, 10**18 - 1, 10**18]
    assert whole_number("0" * 5000 + "1") == 1
