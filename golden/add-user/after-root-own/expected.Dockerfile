FROM python:3.13-slim
RUN useradd -u 1234 svc
USER svc
COPY . /app
USER root
RUN apt-get update && apt-get install -y make
USER svc
CMD ["python", "/app/app.py"]
