FROM python:3 AS builder
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt

FROM python:3-slim
WORKDIR /app
COPY --from=builder /app /app
COPY --from=builder /usr/local /usr/local
CMD ["python", "app.py"]
