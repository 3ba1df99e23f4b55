FROM python:3.12-slim
WORKDIR /app
RUN pip install --no-cache-dir flask "gunicorn>=20" requests[socks]==2.32.3
COPY . .
CMD ["python", "app.py"]
