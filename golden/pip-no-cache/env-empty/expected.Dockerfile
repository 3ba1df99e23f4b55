# an empty value is none
FROM python:3.13-slim
ENV PIP_NO_CACHE_DIR=
RUN pip install --no-cache-dir flask
