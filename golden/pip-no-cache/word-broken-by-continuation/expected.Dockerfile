FROM python:3.13-slim
RUN pip inst\
all --no-cache-dir flask
