# escape=`
FROM python:3.13-slim
WORKDIR /app
COPY . .
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin app && chown 10001:10001 /app
USER 10001
# run
CMD python `
  app.py
