import yaml
from flask import Flask, abort, jsonify, render_template

from . import db


def create_app():
    app = Flask(__name__)
    app.teardown_appcontext(db.close)
    app.cli.add_command(db.init_command)

    @app.get("/")
    def index():
        rows = db.get().execute("SELECT * FROM book ORDER BY year").fetchall()
        return render_template("index.html", books=rows)

    @app.get("/book/<int:number>")
    def book(number):
        row = db.get().execute("SELECT * FROM book WHERE id = ?", (number,)).fetchone()
        if row is None:
            abort(404)
        return jsonify(dict(row))

    @app.get("/healthz")
    def health():
        (count,) = db.get().execute("SELECT count(*) FROM book").fetchone()
        return {"books": count, "libyaml": yaml.__with_libyaml__}

    return app
