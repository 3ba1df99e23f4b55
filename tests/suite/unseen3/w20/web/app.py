from pathlib import Path

import bottle
import magic
from bottle import abort, default_app, route, template

ROOT = Path(__file__).resolve().parent
SAMPLES = ROOT.parent / "samples"
bottle.TEMPLATE_PATH.insert(0, str(ROOT / "views"))


@route("/")
def index():
    return template("index", names=sorted(file.name for file in SAMPLES.iterdir()))


@route("/kind/<name>")
def kind(name):
    file = SAMPLES / name
    if not file.is_file():
        abort(404, "no such file")
    return magic.from_file(str(file), mime=True) + "\n"


application = default_app()
