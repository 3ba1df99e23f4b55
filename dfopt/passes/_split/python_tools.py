"""What pip and Python programs write."""

from __future__ import annotations

import re

from dfopt.ir.scopes import join_path
from dfopt.passes._split.files import Made, Unclear
from dfopt.passes._split.toolbox import add, own_script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.passes._split.flow import Call
    from dfopt.passes._split.toolbox import Context, Outputs


def pip(context: Context, call: Call, out: Outputs) -> None:
    words = [word or "$" for word in call.words]
    name = next((word for word in words if not word.startswith("-")), "")
    if name in (
        "cache",
        "list",
        "show",
        "freeze",
        "check",
        "config",
        "debug",
        "--version",
        "uninstall",
        "download",
        "",
        "hash",
    ):
        return
    if name == "wheel":
        add(out, call, (call.after("-w", "--wheel-dir") or ["."])[-1], "data")
        return
    if name != "install":
        raise Unclear(f"what `pip {name}` in line {call.line} writes is not known", call.line)
    if "-e" in words or "--editable" in words:
        out.notes["editable"] = str(call.line)
    for word in words[1:]:
        if word.startswith((".", "/")) and not word.endswith((".txt", ".whl")):
            base = join_path(call.directory, word.split("[")[0])
            out.console |= _console_scripts(context, str(base))
        elif re.match(r"[A-Za-z]", word):
            out.console.add(re.split(r"[\[=<>~!;@]", word, maxsplit=1)[0].lower())
    # what they need of the system is asked wherever they are put
    out.notes["pip-words"] = out.notes.get("pip-words", "") + "\n" + call.directory + "\t" + "\t".join(words)
    for option in ("-t", "--target", "--prefix", "--root"):
        if call.after(option):
            add(out, call, call.after(option)[-1], "packages")
            return
    environment = call.assignments.get("VIRTUAL_ENV", "")
    if environment:
        out.made.append(Made(environment, call.step, "tool", role="packages"))
    elif "--user" in words or call.home != "/root":  # others than root cannot write elsewhere: pip goes there by itself
        _at_home(call, out)
    else:
        out.notes["site"] = "pip"


def _console_scripts(context: Context, directory: str) -> set[str]:
    """The programs that a Python project brings, by its own words."""
    from dfopt.knowledge import load_toml

    found: set[str] = set()
    text = context.text(f"{directory}/pyproject.toml")
    if text is not None:
        try:
            table = load_toml(text.encode("utf-8", "surrogateescape"))
        except ValueError:
            table = {}
        found |= set(table.get("project", {}).get("scripts", {}))
        found |= set(table.get("tool", {}).get("poetry", {}).get("scripts", {}))
    setup = (context.text(f"{directory}/setup.py") or "") + (context.text(f"{directory}/setup.cfg") or "")
    return found | set(re.findall(r"[\"'\s]([\w.-]+)\s*=\s*[\w.]+:\w+", setup))


def _at_home(call: Call, out: Outputs) -> None:
    """pip installs for one user (site.USER_BASE)."""
    if call.home is None:
        raise Unclear(f"the home directory of who runs pip in line {call.line} is not known", call.line)
    out.made.append(Made(call.home + "/.local", call.step, "tool", role="packages"))


def python(context: Context, call: Call, out: Outputs) -> None:
    words = [word or "$" for word in call.words]
    if words[:2] == ["-m", "pip"]:
        from dfopt.record import replace

        pip(context, replace(call, words=call.words[2:], program="pip"), out)
    elif words[:2] == ["-m", "venv"] or words[:2] == ["-m", "virtualenv"]:
        add(out, call, next((w for w in reversed(call.words) if w and not w.startswith("-")), None), "packages")
    elif words[:2] in (["-m", "compileall"], ["-m", "pytest"], ["-m", "unittest"]) or words[:1] in (
        ["--version"],
        ["-V"],
    ):
        return
    elif words[0:1] == ["setup.py"] and any(w in ("install", "develop") for w in words):
        out.notes["site"] = "pip"
    elif words[0:1] == ["setup.py"]:
        out.work.append(call.directory)
    elif words and words[0].endswith(".py"):
        own_script(context, call, out, words[0])
    else:
        raise Unclear(f"what the Python program in line {call.line} writes is not known", call.line)


def virtualenv(context: Context, call: Call, out: Outputs) -> None:
    add(out, call, next((w for w in reversed(call.words) if w and not w.startswith("-")), None), "packages")
