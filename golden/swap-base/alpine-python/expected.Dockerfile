FROM python:3.12-alpine
RUN pip install markupsafe click
WORKDIR /bot
COPY bot.py ./
RUN adduser -D bot
USER bot
CMD ["python", "bot.py"]
