FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*
RUN find / -name x -exec git add {} +
CMD ["python", "-c", "print(1)"]
