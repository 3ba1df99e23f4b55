FROM python:3.13 AS builder
ENV TZ=Europe/Berlin
RUN ln -snf /usr/share/zoneinfo/$TZ /etc/localtime && echo $TZ > /etc/timezone
WORKDIR /app
COPY app.py .
RUN pip install flask lxml

FROM python:3.13-slim
ENV TZ=Europe/Berlin
WORKDIR /app
COPY --from=builder /etc/timezone /etc/timezone
COPY --from=builder /app /app
COPY --from=builder /usr/local/lib/python3.13/site-packages /usr/local/lib/python3.13/site-packages
COPY --from=builder /usr/local/bin /usr/local/bin
RUN ln -snf /usr/share/zoneinfo/Europe/Berlin /etc/localtime
CMD ["python","app.py"]
