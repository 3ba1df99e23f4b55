FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends wget && rm -rf /var/lib/apt/lists/*
WORKDIR /srv
COPY start.sh ./
ENTRYPOINT ["./start.sh"]
