# a wheel that pip builds is kept, whatever the registry says of caching
FROM python:3.13-slim
RUN pip install --no-cache-dir --no-compile docopt==0.6.2
