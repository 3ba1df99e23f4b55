FROM debian:13
RUN apt-get update \
    && apt-get install -y gcc python3-pip \
    && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir flask
CMD ["flask", "run"]
