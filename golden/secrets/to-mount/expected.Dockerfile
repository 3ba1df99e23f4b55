# syntax=docker/dockerfile:1
FROM node:22
COPY . .
# the token of the registry
RUN --mount=type=secret,id=NPM_TOKEN,env=NPM_TOKEN npm config set //npm.example.com/:_authToken "${NPM_TOKEN}" \
    && npm ci
RUN npm test
FROM node:22
WORKDIR /x
RUN --mount=type=secret,id=HF_TOKEN,env=HF_TOKEN --mount=type=cache,target=/root/.cache \
    pip install x && HF=$HF_TOKEN ./get
FROM debian:13
RUN --mount=type=secret,id=PIP_TOKEN,env=PIP_TOKEN <<EOF
set -e
pip install -i https://x:$PIP_TOKEN@pypi.corp.net/simple y
EOF
