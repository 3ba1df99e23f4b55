FROM debian:13-slim
RUN groupadd -g 1234 app && useradd -u 1234 -g app app
WORKDIR /app
COPY --chown=app:app requirements.txt .
COPY --chown=app:app src/ ./src/
ENV A=1
RUN chown app:app /app
USER app
