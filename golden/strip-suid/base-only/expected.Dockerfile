FROM python:3.13-slim
RUN find / -xdev -perm /6000 -type f ! -name ping ! -name su-exec ! -name sudo -exec chmod a-s {} +
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt
USER 1000
CMD ["python", "app.py"]
