FROM python:3.13-slim AS build
RUN pip install flask
FROM python:3.13-slim
COPY --from=build /root/.cache /root/.cache
RUN pip install --no-cache-dir flask
