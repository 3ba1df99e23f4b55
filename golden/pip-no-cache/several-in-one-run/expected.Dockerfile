FROM python:3.13-slim
RUN set -eux; \
    pip install --no-cache-dir --upgrade pip; \
    if [ -f extra.txt ]; then pip install --no-cache-dir -r extra.txt; fi; \
    for name in flask requests; do pip install --no-cache-dir "$name"; done
