FROM python:3.5-jessie
RUN pip install --no-cache-dir flask
