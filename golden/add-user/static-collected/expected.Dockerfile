FROM python:3.13-slim
WORKDIR /srv/polls
COPY . .
RUN python manage.py collectstatic --no-input
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin app && chown 10001:10001 /srv/polls
USER 10001
CMD ["gunicorn", "polls.wsgi:app"]
