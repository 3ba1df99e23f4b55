FROM python:3.13-slim
RUN pip install --no-cache-dir uv==0.9.9
RUN SSL_CERT_FILE=$PIP_CERT uv pip install --no-cache --system --break-system-packages itsdangerous==2.2.0
