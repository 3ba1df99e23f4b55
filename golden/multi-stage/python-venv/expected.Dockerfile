FROM debian:13 AS builder
RUN apt-get update && apt-get install -y python3 python3-venv python3-dev gcc libffi-dev
RUN python3 -m venv /opt/venv && /opt/venv/bin/pip install --upgrade pip && /opt/venv/bin/pip install cffi flask
COPY app.py /srv/app.py

FROM debian:13-slim
RUN apt-get update && apt-get install -y python3 libffi8 && rm -rf /var/lib/apt/lists/*
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /srv/app.py /srv/app.py
CMD ["/opt/venv/bin/python", "/srv/app.py"]
