FROM debian:13-slim
COPY app.py /app/
COPY . /app
COPY Makefile .env /app/
