"""Run inside a container's network: asks its server, and prints what it said, as JSON.

    python ask.py PORT SECONDS PATH ...

Waits up to SECONDS until the port takes a connection. Prints [[status, body], ...], the body as Latin-1 text; or
{"error": text}. Stands alone: it is run by whatever python runs the suite, in a network of another container.
"""

import http.client
import json
import sys
import time


def main(port: int, seconds: float, paths: list[str]) -> None:
    end = time.monotonic() + seconds
    answers = []
    for path in paths:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("GET", path)
                response = connection.getresponse()
                answers.append([response.status, response.read().decode("latin-1")])
                break
            except (OSError, http.client.HTTPException) as error:
                # Only the first request waits for the server: later on, a server that went away has failed.
                if answers or time.monotonic() > end:
                    print(json.dumps({"error": f"GET {path}: {type(error).__name__}: {error}"}))
                    return
                time.sleep(0.1)
            finally:
                connection.close()
    print(json.dumps(answers))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
