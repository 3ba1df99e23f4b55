FROM docker.io/library/python:3.12-slim AS app
RUN apt-get update && apt-get install -y --no-install-recommends curl git && rm -rf /var/lib/apt/lists/*
# what the data is made from
RUN git clone https://example.com/data.git /data && \
    # not needed any more
    rm -rf /data/.git
COPY main.py /
HEALTHCHECK CMD curl -f http://localhost/ || exit 1
CMD ["python", "/main.py"]
