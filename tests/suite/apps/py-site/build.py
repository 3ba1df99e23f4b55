from pathlib import Path

import jinja2
import markdown

layout = jinja2.Template(Path("layout.html").read_text())
public = Path("public")
public.mkdir(exist_ok=True)
for source in Path("pages").glob("*.md"):
    html = layout.render(title=source.stem, body=markdown.markdown(source.read_text()))
    (public / f"{source.stem}.html").write_text(html)
(public / "robots.txt").write_text("User-agent: *\nAllow: /\n")
