FROM debian
COPY app.py /app.py
