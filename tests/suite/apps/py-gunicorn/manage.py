import sqlite3
import sys

if sys.argv[1:] == ["init"]:
    with sqlite3.connect("polls.db") as db:
        db.executescript(open("polls/schema.sql").read())
else:
    sys.exit("usage: manage.py init")
