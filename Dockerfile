# dfopt as an image: docker run --rm -v "$PWD:/work" dfopt check
FROM python:3.13-slim AS wheel
WORKDIR /src
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY recipes/ recipes/
COPY dfopt/ dfopt/
RUN --mount=type=cache,target=/root/.cache/pip pip wheel --no-deps --wheel-dir /dist .

FROM python:3.13-slim AS install
RUN python -m venv /opt/dfopt
RUN --mount=type=cache,target=/root/.cache/pip --mount=from=wheel,source=/dist,target=/dist \
    /opt/dfopt/bin/pip install --find-links /dist 'dfopt[zstd]'

# dfopt: ignore=missing-healthcheck reason=a command, not a service
FROM python:3.13-slim
# No program of the base needs its setuid bit here.
RUN find / -xdev -perm /6000 -type f -exec chmod a-s {} + \
    && useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin dfopt
COPY --from=install /opt/dfopt/ /opt/dfopt/
ENV PATH=/opt/dfopt/bin:$PATH
USER 10001
WORKDIR /work
ENTRYPOINT ["dfopt"]
CMD ["--help"]
