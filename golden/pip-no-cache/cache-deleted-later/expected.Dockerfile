# rm -f takes it as it comes that nothing is there
FROM python:3.13-slim
RUN pip install --no-cache-dir flask
RUN rm -rf /root/.cache
