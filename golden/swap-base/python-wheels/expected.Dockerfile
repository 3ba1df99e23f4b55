FROM python:3.12-slim-bookworm
WORKDIR /app
COPY requirements.txt more.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
CMD ["gunicorn", "app:app"]
