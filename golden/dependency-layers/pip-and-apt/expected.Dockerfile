FROM python:3.12-slim
WORKDIR /app
COPY requirements.txt /app/
ENV PIP_NO_CACHE_DIR=1
RUN set -ex; \
    apt-get update; \
    apt-get install -y --no-install-recommends libpq-dev="${PQ_VERSION}"; \
    rm -rf /var/lib/apt/lists/*
RUN mkdir -p /data
RUN pip install --upgrade pip && \
    pip install -r requirements.txt
ADD . /app
RUN python app.py
