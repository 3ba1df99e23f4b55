FROM python:3.13-slim
RUN pip install --no-cache-dir uv
WORKDIR /app
COPY requirements.txt ./
RUN uv pip install --system -r requirements.txt
# the program
COPY . .
CMD [".venv/bin/python", "main.py"]
