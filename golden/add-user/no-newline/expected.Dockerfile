FROM python:3.13-slim
CMD ["python", "/app.py"]
COPY . /app
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin app
USER 10001