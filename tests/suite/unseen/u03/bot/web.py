import yaml

with open("etc/replies.yaml") as file:
    REPLIES = yaml.safe_load(file)


def application(environ, start_response):
    reply = REPLIES.get(environ["PATH_INFO"].strip("/"))
    start_response("200 OK" if reply else "404 Not Found", [("Content-Type", "text/plain")])
    return [(reply or "eh?").encode()]
