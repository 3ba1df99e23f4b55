FROM debian
MAINTAINER me@example.com
RUN apt-get update && apt-get install -y curl
RUN curl https://example.com/x.sh | tee x.sh
ADD app.py /app.py
CMD python3 /app.py
