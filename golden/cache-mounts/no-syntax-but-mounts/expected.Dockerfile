FROM python:3.13-slim
RUN --mount=type=ssh git clone git@example.org:a/b /b
RUN --mount=type=cache,target=/root/.cache/pip pip install flask
