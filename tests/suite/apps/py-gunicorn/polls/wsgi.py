import sqlite3

from flask import Flask, render_template

app = Flask(__name__)


@app.route("/")
def index():
    with sqlite3.connect("polls.db") as db:
        return render_template("index.html", choices=db.execute("select * from choice order by name").fetchall())


@app.route("/vote/<name>")
def vote(name):
    with sqlite3.connect("polls.db") as db:
        db.execute("update choice set votes = votes + 1 where name = ?", [name])
        return str(db.execute("select votes from choice where name = ?", [name]).fetchone()[0])
