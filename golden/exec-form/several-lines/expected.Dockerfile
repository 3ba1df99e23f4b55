FROM debian:13-slim
CMD ["gunicorn", \
    "--bind", "0.0.0.0:80", \
    # the app
    "app:app"]
