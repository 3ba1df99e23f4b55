#!/usr/bin/env python3
"""generate.py CONTENT THEME OUT: every Markdown file becomes a page, and every tag becomes a list of pages."""

import sys
from collections import defaultdict
from pathlib import Path

import jinja2
import markdown
import yaml


def read(file):
    head, body = {}, file.read_text(encoding="utf-8")
    if body.startswith("---\n"):
        front, body = body[4:].split("\n---\n", 1)
        head = yaml.safe_load(front)
    html = markdown.markdown(body, extensions=["fenced_code", "codehilite", "toc"])
    return {"title": file.stem, "tags": [], **head, "html": html}


def main(content, theme, out):
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(theme), autoescape=False)
    tags = defaultdict(list)
    for file in sorted(content.rglob("*.md")):
        page = read(file)
        path = file.relative_to(content).with_suffix(".html")
        for tag in page["tags"]:
            tags[tag].append((page["title"], f"/{path}"))
        write(out / path, env.get_template(page.get("template", "page.html")).render(page=page))
    for tag, pages in tags.items():
        write(out / "tags" / f"{tag}.html", env.get_template("tag.html").render(tag=tag, pages=pages))
    write(out / "index.html", env.get_template("index.html").render(tags=sorted(tags)))


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
