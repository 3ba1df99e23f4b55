FROM python:3.12-alpine AS builder
RUN apk add --no-cache gcc musl-dev postgresql-dev tzdata
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt

FROM python:3.12-alpine
WORKDIR /app
RUN apk add --no-cache libgcc libpq tzdata
COPY --from=builder /app /app
COPY --from=builder /usr/local/lib/python3.12/site-packages /usr/local/lib/python3.12/site-packages
COPY --from=builder /usr/local/bin /usr/local/bin
CMD ["python", "app.py"]
