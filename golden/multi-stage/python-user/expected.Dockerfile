FROM python:3.12-bookworm AS builder
RUN useradd --create-home --uid 1200 web
USER web
WORKDIR /home/web/app
COPY --chown=web . .
RUN pip install --user -r requirements.txt

FROM python:3.12-slim-bookworm
RUN useradd --create-home --uid 1200 web
COPY --from=builder /home/web/app /home/web/app
COPY --from=builder /home/web/.local /home/web/.local
USER web
WORKDIR /home/web/app
CMD ["python", "app.py"]
