FROM debian:13 AS builder
RUN apt-get update && apt-get install -y gcc python3-pip && rm -rf /var/lib/apt/lists/*
RUN pip install --break-system-packages flask
COPY app.py /srv/app.py

FROM debian:13-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*
COPY --from=builder /usr/local/lib/python3.13/dist-packages /usr/local/lib/python3.13/dist-packages
COPY --from=builder /usr/local/bin /usr/local/bin
COPY --from=builder /srv/app.py /srv/app.py
CMD ["python3", "/srv/app.py"]
