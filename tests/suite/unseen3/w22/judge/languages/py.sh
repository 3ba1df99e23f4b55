build() { { echo "#!/usr/bin/env python3"; cat "$1/source"; } >"$1/program" && chmod +x "$1/program" && python3 -m py_compile "$1/program"; }
