"""`docker dfopt`: dfopt as a plugin of docker's command line.

docker calls `docker-dfopt docker-cli-plugin-metadata` to know what it is, and `docker-dfopt [OPTIONS] dfopt ...`
to run it, with docker's own global options in front (docker/cli, cli-plugins/manager).
"""

from __future__ import annotations

import json
import sys

_METADATA = "docker-cli-plugin-metadata"


def main() -> int:
    """Runs the plugin with the arguments of the process. Returns the exit status."""
    words = sys.argv[1:]
    if words[:1] == [_METADATA]:
        from dfopt.version import version

        metadata = {
            "SchemaVersion": "0.1.0",
            "Vendor": "dfopt",
            "Version": version(),
            "ShortDescription": "Optimize Dockerfiles",
        }
        sys.stdout.write(json.dumps(metadata) + "\n")
        return 0
    from dfopt.cli.entry import main as dfopt

    sys.argv = ["dfopt", *words[words.index("dfopt") + 1 :]] if "dfopt" in words else ["dfopt", *words]
    return dfopt()
