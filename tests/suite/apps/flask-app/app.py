import json

from flask import Flask, jsonify, render_template

app = Flask(__name__)


@app.route("/")
def index():
    with open("data/books.json") as file:
        return render_template("index.html", books=json.load(file))


@app.route("/health")
def health():
    return jsonify(status="ok")


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
