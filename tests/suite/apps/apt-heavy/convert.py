import locale
import subprocess
import sys

import yaml

locale.setlocale(locale.LC_ALL, "")
with open("/opt/presets.yaml") as file:
    presets = yaml.safe_load(file)
if sys.argv[1:] == ["colour"]:
    size = presets["thumb"]["size"]
    out = subprocess.run(["convert", "-size", size, "xc:red", "-format", "%wx%h", "info:"], capture_output=True, check=True)
    print(out.stdout.decode())
else:
    print(locale.format_string("%.2f", 1234.5, grouping=True), ", ".join(sorted(presets)))
