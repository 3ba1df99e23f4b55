"""What Bundler reads of the project whose gems it installs."""

from __future__ import annotations

import re

from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.passes.dependency_layers.command import Command

_GEM_LINE = regex(
    r"""(?:source\s*\(?\s*["']https?://[^"']+["']\s*\)?(?:\s+do)?
      | gem\s*\(?\s*["'][\w.-]+["'](?:\s*,\s*(?:["'][^"']*["']
          |:?["']?(?:require|groups?|platforms?|git|github|branch|tag|ref|source|force_ruby_platform)["']?\s*(?:=>|:)
           \s*(?:["'][^"']*["']|:\w+|%[iw]\[[\w\s-]*\]|\[[^\[\]]*\]|true|false|nil)))*\s*\)?
      | (?:group|platforms?)\s*(?:\([\s:\w,"'-]+\)\s+|[:\w,"'-][\s:\w,"'-]*(?<=\s))do
      | ruby\s*\(?\s*(?:["'][^"']*["'](?:\s*,\s*["'][^"']*["'])*|file:\s*["']\.(?:ruby-version|tool-versions)["'])\s*\)?
      | git_source\s*\(:\w+\)\s*(?:\{\s*\|\w+\|\s*"https?://[\w.-]+/\#\{\w+\}(?:\.git)?"\s*\}|do\s*\|\w+\|)
      | (\w+)\s*=\s*"\#\{\1\}/\#\{\1\}"\s*unless\s+\1\.include\?\(["']/["']\)
      | "https?://[\w.-]+/\#\{\w+\}(?:\.git)?"
      | end)\s*(?:\#.*)?\Z""",
    re.X,
)  # fmt: skip


def config(command: Command) -> None:
    words = [word for word in command.values[1:] if word not in ("set", "--local", "--global", "--delete", "unset")]
    settings = table("dependency_files")["bundle"]["settings"]
    if not words or words[0].lower().replace("_", "-").lstrip("-") not in settings or (
        any(word.startswith(".") for word in words[1:])
    ):  # fmt: skip
        raise Refusal("what `bundle config` sets is not known")
    if words[0].lower().lstrip("-") == "path" and words[1:]:
        command.place("path", words[1])
    command.writes.append(command.directory + ".bundle/")


def install(command: Command) -> None:
    facts = table("dependency_files")["bundle"]
    command.operands(facts, [word for word in command.values if word != "install"])
    command.environment(facts)
    for name in ("RUBYOPT", "RUBYLIB"):
        if name in command.scope.env:
            raise Refusal(f"{name} may lead Ruby to the sources")
    command.manifests(facts)
    for line in re.sub(r",\s*\n", ", ", command.text("Gemfile").replace("\r", "")).splitlines():
        text = line.strip()
        if text and text[0] != "#" and (len(text) > 1000 or not _GEM_LINE.match(text)):
            raise Refusal(f"`{text[:60]}` of the Gemfile may read other files")
    lock = command.text("Gemfile.lock") if command.holds("Gemfile.lock") else ""
    if re.search(r"^PATH$", lock, re.M):
        raise Refusal("Gemfile.lock names local gems")
    env = command.scope.env
    if not any(env.get(name) in ("1", "true") for name in ("BUNDLE_FROZEN", "BUNDLE_DEPLOYMENT")):
        command.locked(facts)
