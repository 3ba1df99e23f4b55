FROM debian:13-slim
WORKDIR /app
CMD ["python3", "app.py"]
