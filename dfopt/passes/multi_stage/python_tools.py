"""What pip and Python programs write."""

from __future__ import annotations

import re

from dfopt.analysis.context_documents import member, toml_table
from dfopt.analysis.package_managers import package_name
from dfopt.ir.scopes import join_path
from dfopt.passes.multi_stage.tool_outputs import add, own_script
from dfopt.passes.multi_stage.unblock import APART
from dfopt.passes.multi_stage.written_paths import WrittenPath
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.passes.multi_stage.flow import ToolCall
    from dfopt.passes.multi_stage.tool_outputs import ToolContext, ToolOutputs


def pip(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
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
        raise Refusal(f"what `pip {name}` in line {call.line} writes is not known", APART)
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
    if _own_environment(call, out, context.flow.heads):
        return
    if environment:
        out.paths.append(WrittenPath(environment, call.step, "tool", role="packages"))
    elif "--user" in words or not call.root:  # others than root cannot write elsewhere: pip goes there by itself
        _at_home(call, out)
    elif call.program == "pip" and any(_PYTHON_2.fullmatch(package_name(p.name)) for p in context.flow.packages):
        raise Refusal(f"line {call.line} installs with the pip of Python 2, which is not followed", APART)
    else:
        out.notes["site"] = "pip"


# Debian's and Ubuntu's packages whose `pip` is that of Python 2 (Debian up to 10, Ubuntu up to 18.04)
_PYTHON_2 = re.compile(r"python2?-pip")


def _own_environment(call: ToolCall, out: ToolOutputs, heads: Sequence[str]) -> bool:
    """Whether pip is that of a virtual environment that a step has made: by its path, or by the search path."""
    path = join_path(call.directory, call.path) if "/" in call.path else None
    return any(
        entry.role == "packages"
        and (
            (isinstance(path, str) and path.startswith(entry.path.rstrip("/") + "/bin/"))
            or (path is None and entry.path.rstrip("/") + "/bin" in heads)
        )
        for entry in out.paths
    )


def uv(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    """uv 0.9: `uv pip` is pip, for the active environment or, with --system, for the whole system; `uv sync` fills the
    project's own environment."""
    from dfopt.record import replace

    words = [word or "$" for word in call.words]
    if words[:1] == ["pip"]:
        left = tuple([word for word in call.words[1:] if word not in ("--system", "--no-cache")])
        pip(context, replace(call, words=left, program="pip"), out)
    elif words[:1] == ["venv"]:
        target = next((word for word in call.operands("--python", "-p")[1:] if word), ".venv")
        add(out, call, target, "packages")
    elif words[:1] == ["sync"]:
        if any(word in ("--python", "-p", "--managed-python") for word in words) or "UV_PYTHON" in call.assignments:
            raise Refusal(f"which Python uv takes in line {call.line} is not known", "remove --python and UV_PYTHON")
        if "python" not in context.features:
            raise Refusal(f"uv downloads a Python of its own in line {call.line}, to where is not known")
        if call.assignments.get("UV_LINK_MODE") == "symlink":
            raise Refusal(f"uv links to its cache in line {call.line}", "remove UV_LINK_MODE")
        project = context.text(call.directory.rstrip("/") + "/pyproject.toml") or ""
        pinned = context.text(call.directory.rstrip("/") + "/.python-version")
        wanted = re.search(r"^requires-python\s*=\s*[\"']([^\"']+)", project, re.M)
        out.notes["uv-python"] = ",".join(
            [*([wanted[1]] if wanted else []), *([f"=={pinned.strip()}"] if pinned else [])]
        )
        add(out, call, call.assignments.get("UV_PROJECT_ENVIRONMENT", ".venv"), "packages")
        _project_words(call, out)
    elif words[:1] not in (["--version"], ["lock"], ["cache"], ["export"], ["tree"]):
        raise Refusal(f"what `uv {words[0] if words else ''}` in line {call.line} writes is not known", APART)


def poetry(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    """Poetry 2: `install` fills an environment of its own unless it is told that there shall be none."""
    words = [word or "$" for word in call.words]
    name = next((word for word in words if not word.startswith("-")), "")
    if name == "config":
        if words[-2:] == ["virtualenvs.create", "false"]:
            out.notes["poetry"] = "site"
        elif words[-2:] == ["virtualenvs.in-project", "true"]:
            out.notes["poetry"] = "project"
    elif name == "install" or name == "sync":
        where = out.notes.get("poetry", "")
        if call.assignments.get("POETRY_VIRTUALENVS_CREATE", "").lower() in ("false", "0"):
            where = "site"
        elif call.assignments.get("POETRY_VIRTUALENVS_IN_PROJECT", "").lower() in ("true", "1"):
            where = "project"
        if where == "project":
            add(out, call, ".venv", "packages")
        elif where == "site" and "VIRTUAL_ENV" in call.assignments:
            add(out, call, call.assignments["VIRTUAL_ENV"], "packages")
        elif where == "site":
            out.notes["site"] = "pip"
        else:
            raise Refusal(
                f"where Poetry puts its environment in line {call.line} is not known",
                "set POETRY_VIRTUALENVS_IN_PROJECT=true",
            )
        _project_words(call, out)
    elif name not in ("check", "lock", "cache", "env", "self", "", "show"):
        raise Refusal(f"what `poetry {name}` in line {call.line} writes is not known", APART)


def pipenv(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    """Pipenv 2025: with --system it is pip; what it installs is named by the Pipfile."""
    if "install" not in call.words and "sync" not in call.words:
        raise Refusal(f"what pipenv in line {call.line} writes is not known", APART)
    if "--system" not in call.words:
        raise Refusal(
            f"where pipenv puts its environment in line {call.line} is not known", "give pipenv the option --system"
        )
    out.notes["site"] = "pip"
    text = context.need(call.directory.rstrip("/") + "/Pipfile", call, "Pipfile")
    section = re.search(r"^\[packages\]\s*$(.*?)(?:^\[|\Z)", text, re.M | re.S)
    names = re.findall(r"^[\"']?([\w.-]+)[\"']?\s*=", section[1], re.M) if section else []
    if re.search(r"\b(?:git|path|file)\s*=", section[1] if section else ""):
        raise Refusal("a package of the Pipfile comes from elsewhere")
    _words(call, out, ["install", *names])


def _project_words(call: ToolCall, out: ToolOutputs) -> None:
    _words(call, out, ["install", "."])


def _words(call: ToolCall, out: ToolOutputs, words: list[str]) -> None:
    """Notes what is installed, as if pip had been told: what that needs of the system is asked later."""
    out.notes["pip-words"] = out.notes.get("pip-words", "") + "\n" + call.directory + "\t" + "\t".join(words)
    out.console |= {word.lower() for word in words[1:]}


def _console_scripts(context: ToolContext, directory: str) -> set[str]:
    """The programs that a Python project brings, by its own words."""
    names: set[str] = set()
    text = context.text(f"{directory}/pyproject.toml")
    if text is not None:
        try:
            project = toml_table(text)
        except ValueError:
            project = {}
        names |= set(member(member(project, "project"), "scripts"))
        names |= set(member(member(member(project, "tool"), "poetry"), "scripts"))
    setup = (context.text(f"{directory}/setup.py") or "") + (context.text(f"{directory}/setup.cfg") or "")
    return names | set(re.findall(r"[\"'\s]([\w.-]+)\s*=\s*[\w.]+:\w+", setup))


def _at_home(call: ToolCall, out: ToolOutputs) -> None:
    """pip installs for one user (site.USER_BASE)."""
    if call.home is None:
        raise Refusal(f"the home directory of who runs pip in line {call.line} is not known")
    out.paths.append(WrittenPath(call.home + "/.local", call.step, "tool", role="packages"))


def python(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
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
        out.console |= _console_scripts(context, call.directory)
        _project_words(call, out)
        out.notes["site"] = "pip"
    elif words[0:1] == ["setup.py"]:
        out.work.append(call.directory)
    elif words and words[0].endswith(".py"):
        own_script(context, call, out, words[0])
    else:
        raise Refusal(f"what the Python program in line {call.line} writes is not known", APART)


def virtualenv(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    add(out, call, next((w for w in reversed(call.words) if w and not w.startswith("-")), None), "packages")
