from flask import Flask, abort, jsonify, render_template

from . import store


def create_app():
    app = Flask(__name__)

    @app.get("/")
    def index():
        with store.connect() as db:
            books = db.execute("SELECT * FROM book ORDER BY year").fetchall()
        return render_template("index.html", books=books)

    @app.get("/books/<int:number>.json")
    def book(number):
        with store.connect() as db:
            row = db.execute("SELECT * FROM book WHERE id = ?", (number,)).fetchone()
        if row is None:
            abort(404)
        return jsonify(dict(row))

    @app.errorhandler(404)
    def missing(error):
        return render_template("404.html"), 404

    return app
