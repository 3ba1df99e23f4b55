FROM python:3.13-slim AS build
RUN pip install --no-cache-dir --prefix=/out flask
FROM python:3.13-slim
COPY --from=build /out /usr/local
