import pathlib
pathlib.Path("/var/lib/app/cache.json").write_text("{}")
