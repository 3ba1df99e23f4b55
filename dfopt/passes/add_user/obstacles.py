"""What keeps an image from running as another user than root."""

from __future__ import annotations

import posixpath
import re

from dfopt.analysis.remote_scripts import SHELLS, remote_script_nodes
from dfopt.analysis.run_steps import run_text
from dfopt.analysis.startup import _body, context_candidates
from dfopt.ir.commands import commands
from dfopt.ir.effects import covers, manager
from dfopt.ir.liveness import layer_steps
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.refusal import Refusal
from dfopt.rewrites.copy_mode import destination
from dfopt.syntax.expand import Unknown
from dfopt.syntax.shell import ShellSyntaxError, parse_shell
from dfopt.units import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.analysis.startup import Run, Started
    from dfopt.facts import Facts
    from dfopt.ir.commands import Invocation
    from dfopt.ir.image_config import ImageConfig
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.passes.add_user.writes import ScriptWrites

_HOME = regex(r"(?:(?<![\w./-])/root(?![\w.-])|(?<![\w/])~(?=/|\s|$|\"|')|\$HOME\b|\$\{HOME[}:])")
_BIND = regex(r"(?:--?(?:[\w-]{0,40}port|p)[= ]|(?:0\.0\.0\.0|\[::\]|\*|(?<=[\s=\"'])):)(\d{1,5})(?![\w.:])")
_MODE = regex(r"[0-7]{3,4}\Z")
# group may write, and others may not: a user of group 0 is expected (OpenShift's guidelines for images)
_GROUP = regex(r"[0-7]?[0-7][2367][0145]\Z|u*g[+=][rxXst]*w|u*g=u")
_DATA = regex(r"\.(?:db|sqlite3?|mdb)\Z")
_HELP = ("--help", "-h", "-help", "help", "--version", "-v", "-V", "-version", "version", "--info", "info")
_WAITS = frozenset((("sleep", "inf"), ("sleep", "infinity"), ("tail", "/dev/null")))
_TELLING = frozenset(("hostname",))  # without operands they only tell
# What can be done about it
_BUILD = "let `fix --verify` build it"
_START = "say in CMD or ENTRYPOINT what is run"
SUPPRESS = "write `# dfopt: ignore=add-user` above the line if it is meant"
_OTHER_PORT = "use a port above 1023 and publish it as this one"
_OTHER_PLACE = "keep such files outside of /root"
_GROUPED = "write USER, with group 0"
_OWNER = "give them to a user by --chown"
_INSTALLS = {
    "npm": ("install", "i", "ci", "update"), "yarn": ("install", "add"), "pnpm": ("install", "i", "add"),
    "bundle": ("install", "update"), "composer": ("install", "update", "require"), "poetry": ("install",),
    "pipenv": ("install", "sync"), "pip": ("install",), "pip3": ("install",), "gem": ("install",),
    "uv": ("sync", "pip"), "cargo": ("install",), "go": ("get", "install"),
}  # fmt: skip


def check_start(started: Started, writes: ScriptWrites | None) -> None:
    """Raises Refusal where the started commands need root. `writes` knows what the user may write to; None where a run
    has shown what is written, and by whom."""
    if started.why and writes is not None:
        raise Refusal(started.why, _BUILD)
    programs = table("users")["programs"]
    for run in started.runs:
        if not run.names and writes is None:
            continue
        if not run.names:
            raise Refusal("a variable names a command that the image starts", "name the program in CMD or ENTRYPOINT")
        for name in run.names:
            if name in programs["drops"]:
                raise Refusal(f"the image starts {name}, which chooses the user itself", SUPPRESS)
            if name in programs["root"]:
                raise Refusal(f"the image starts {name}, which needs root", SUPPRESS)
            if name in programs["prepares"] and not (name in _TELLING and not _operands(run)):
                raise Refusal(f"the image's start script calls {name}, which needs root", SUPPRESS)
        _check_installs(run)
        _check_interactive(run)
        if writes is not None:
            writes.check(run)
    for match in _BIND.finditer(started.text):
        if 0 < int(match[1]) < 1024:
            raise Refusal(
                f"the image starts a server on port {match[1]}, which is root's outside of docker", _OTHER_PORT
            )
    home = _HOME.search(started.text)
    if home is not None:
        raise Refusal(f"what the image starts uses {home[0]}, which is root's home directory", _OTHER_PLACE)


def _operands(run: Run) -> bool:
    return any(word is None or not word.startswith("-") for word in run.words)


def _check_installs(run: Run) -> None:
    name = run.names[-1]
    words = [word for word in run.words if word is None or not word.startswith("-")]
    first = words[0] if words else ""
    if name.startswith("python") and len(run.words) > 2 and run.words[0] == "-m" and run.words[1] in _INSTALLS:
        name, first = run.words[1] or "", run.words[2]
    facts = manager(name)
    if facts is not None and name not in _INSTALLS:
        does = facts["commands"].get(first or "", {})
        if does.get("installs") or does.get("refreshes"):
            raise Refusal(f"the image installs packages when it starts ({name} {first})", "install them in a RUN")
    if first in _INSTALLS.get(name, ()):
        raise Refusal(f"the image installs packages when it starts ({name} {first})", "install them in a RUN")


def _check_interactive(run: Run) -> None:
    """Refuses a command that waits for a person, or only tells how it is used: what the image is for is not known."""
    name, words = run.names[-1], run.words
    fixed = [word for word in words if word is not None]
    if (name, *fixed[-1:]) in _WAITS:
        raise Refusal(f"the image starts {name} {fixed[-1]}: what is done in it is not known", SUPPRESS)
    if run.one is not None:
        return
    shell = name in SHELLS and all(word.startswith("-") and "c" not in word for word in fixed)
    prompt = table("users")["programs"]["prompts"]
    if len(fixed) == len(words) and (shell or (name.rstrip("0123456789.") in prompt and fixed in ([], ["-a"], ["-i"]))):
        raise Refusal(f"the image starts {name} for a person to type at: what is done in it is not known", SUPPRESS)
    if len(words) == 1 and words[0] in _HELP:
        raise Refusal(f"the image starts {name} {words[0]}: what it is really run with is not known", _START)


def check_ports(config: ImageConfig, listens: tuple[str, ...] | None = None) -> None:
    """Raises Refusal for a port that only root may open: one of `listens`, which were seen ("tcp/80"); where none was,
    of EXPOSE, or of a variable like PORT."""
    for socket in listens or ():
        number = int(socket.rpartition("/")[2])
        if number < 1024:
            why = f"the image's program listens on port {number}, which is root's outside of docker"
            raise Refusal(why, _OTHER_PORT)
    if listens:
        return
    for port in config.ports:
        if isinstance(port, Unknown):
            raise Refusal("a port of EXPOSE is not known", "write its number")
        match = re.match(r"\d+", port)
        if match is not None and 0 < whole_number(match[0]) < 1024:
            raise Refusal(f"port {match[0]} of EXPOSE is root's outside of docker", _OTHER_PORT)
    for name, value in config.env.items():
        if (
            re.search(r"(?:\A|_)PORT\Z", name)
            and isinstance(value, str)
            and value.isdigit()
            and 0 < whole_number(value) < 1024
        ):
            raise Refusal(f"{name}={value}: the port is root's outside of docker", _OTHER_PORT)


def check_comments(program: Program) -> None:
    """Raises Refusal where a comment says that the image is run as only root can."""
    if "#" not in program.text:
        return
    match = re.search(rf"^[ \t]*#.*?({table('users')['programs']['comments']})", program.text, re.M)
    if match is not None:
        raise Refusal(f"a comment runs the image with {match[1]}, which needs root")


def check_files(program: Program, stage: Stage, facts: Facts, owned: bool, given: tuple[str, ...] = ()) -> None:
    """Raises Refusal for files that only root could read or enter. `owned`: the user that the file gives files to is
    the one to run as; `given`: files and directories that the user is given because it was seen to write there."""
    steps = layer_steps(program, stage)
    home = re.compile(table("users")["programs"]["home"])
    for number, step in enumerate(steps):
        node, line = step.node, step.node.line
        if node.keyword == "ADD" and not owned:
            _check_download(program, step, steps[:number], steps[number + 1 :])
        if node.keyword == "ONBUILD":
            raise Refusal(f"line {line}: the image is a base for others (ONBUILD), whose steps may need root")
        if node.keyword in ("WORKDIR", "COPY", "ADD"):
            target = destination(program, step)
            if target is not None and covers("/root", target):
                raise Refusal(f"line {line} puts files below /root, which root alone can enter", _OTHER_PLACE)
            mode = node.flag("chmod")
            if mode is not None and _closed(mode.value or "") and not owned:
                raise Refusal(f"line {line} copies files that root alone can read (--chmod={mode.value})", _OWNER)
            if node.keyword != "WORKDIR" and not owned and node.flag("chown") is None:
                for argument in node.arguments[:-1]:
                    name, place = posixpath.basename(argument.value), target or "/"
                    place = place if place.endswith(f"/{name}") else posixpath.join(place, name)
                    if _DATA.search(name) and place not in given:
                        raise Refusal(f"line {line} copies {argument.value}, which the program may write to", _OWNER)
        elif node.keyword == "ENV":
            if any(_HOME.search(pair.value or "") for pair in node.pairs):
                raise Refusal(f"line {line} points to root's home directory", _OTHER_PLACE)
        elif node.keyword == "RUN":
            _check_run(program, step, home, owned)
            if not owned:
                _check_scripts(program, stage, step, facts, home)


def _check_scripts(program: Program, stage: Stage, step: Step, facts: Facts, home: re.Pattern[str]) -> None:
    """As `_check_run`, of the scripts of the build context that a RUN runs."""
    if step.node.form != "json" and program.body(step).program is None:
        return
    for invocation in program.run_commands(step).invocations:
        name = invocation.path
        if invocation.program in SHELLS:
            name = next((value for value in invocation.values if value is not None and not value.startswith("-")), None)
        for source in context_candidates(program, stage, name) if name is not None and "/" in name else ():
            content = facts.context_file(source)
            if content is None:
                continue
            text = content.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
            try:
                listed = commands(_body(parse_shell(text), text))
            except ShellSyntaxError:
                break
            _check_text(text, f"line {step.node.line} ({source})", home, owned=False)
            _check_commands(listed.invocations, text, f"line {step.node.line} ({source})", owned=False)
            break


def _check_download(program: Program, step: Step, before: list[Step], behind: list[Step]) -> None:
    """Raises Refusal for a file that ADD downloads with mode 0600 (BuildKit, reference.md, ADD) and that stays so: `+x`
    lets others start a program, but not read a script."""
    node = step.node
    addresses = {
        pair.name for other in before if other.node.keyword in ("ARG", "ENV")
        for pair in other.node.pairs if "://" in (pair.value or "")
    }  # fmt: skip
    sources = [argument.value for argument in node.arguments[:-1]]
    if not any("://" in source or addresses & {*re.findall(r"\$\{?(\w+)", source)} for source in sources):
        return
    if node.flag("chmod") is not None or node.flag("chown") is not None or "git" in node.arguments[0].value:
        return
    target = destination(program, step)
    if target is None:
        return
    for later in behind:
        if any(effect.kind == "deletes" and covers(effect.path, target) for effect in program.effects(later)):
            return
        if later.node.keyword == "RUN" and program.body(later).program is not None:
            for invocation in program.commands(later).invocations:
                words = [value for value in invocation.values if value is not None and not value.startswith("-")]
                if invocation.program in ("rm", "mv", "tar", "unzip", "gunzip", "dpkg", "rpm", "apt-get", "apt", "pip"):
                    return
                if invocation.program == "chmod" and re.match(r"[0-7]*[4-7]\Z|[ugoa]*[+=][wxX]*r", (words or [""])[0]):
                    return
    raise Refusal(
        f"line {node.line} downloads a file that root alone can read (ADD makes it 0600)", "give the ADD --chmod=755"
    )


def _check_run(program: Program, step: Step, home: re.Pattern[str], owned: bool) -> None:
    text = run_text(program, step)
    body = program.body(step)
    if body.program is None:
        _check_exec(step, home, owned)
        return
    line = f"line {step.node.line}"
    _check_text(body.text, line, home, owned)
    if remote_script_nodes(program, step):
        raise Refusal(
            f"{line} runs a script from the network, which may install below root's home directory", _OTHER_PLACE
        )
    if not ("chmod" in text or "umask" in text or "/root" in text or "~" in text or "HOME" in text or "-m" in text):
        return
    _check_commands(program.commands(step).invocations, body.text, line, owned)


def _check_text(text: str, line: str, home: re.Pattern[str], owned: bool) -> None:
    match = home.search(text)
    if match is not None:
        raise Refusal(f"{line} ({match[0].split()[0]}) installs below root's home directory", _OTHER_PLACE)
    data = re.search(table("users")["programs"]["data"], text) if not owned else None
    if data is not None:
        raise Refusal(f"{line} ({data[0]}) may make data that the image's program writes to", _OWNER)
    client = re.search(table("users")["programs"]["clients"], text)
    if client is not None:
        raise Refusal(f"{line} ({client[0]}) brings a client of docker: its socket is root's", SUPPRESS)


def _check_commands(invocations: Iterable[Invocation], text: str, line: str, owned: bool) -> None:
    for invocation in invocations:
        raw = text[invocation.node.start : invocation.node.end]
        if invocation.program not in ("rm", "find", "rmdir", "test", "[") and _HOME.search(raw):
            raise Refusal(f"{line} uses root's home directory", _OTHER_PLACE)
        values = invocation.values
        if invocation.program == "chmod" and not owned:
            mode = next((v for v in values if v is not None and re.match(r"[0-7ugoa+=]", v)), None)
            if mode is None or _closed(mode):
                raise Refusal(f"{line} makes files that root alone can use (chmod {mode or '$...'})", _OWNER)
            if _GROUP.match(mode):
                raise Refusal(f"{line} lets root's group write (chmod {mode}), which a new user is not in", _GROUPED)
        elif invocation.program == "umask" and values and (values[0] or "077")[-1:] in "7654":
            raise Refusal(f"{line} sets a umask that keeps files from other users", _OWNER)
        elif invocation.program == "install" and not owned:
            for index, option in enumerate(values[:-1]):
                value = values[index + 1]
                if option in ("-m", "--mode") and (value is None or _closed(value)):
                    raise Refusal(f"{line} makes files that root alone can use (install -m {value})", _OWNER)


def _check_exec(step: Step, home: re.Pattern[str], owned: bool) -> None:
    """As `_check_run`, of a RUN in exec form; one in shell form that is here is not understood."""
    node = step.node
    words = [argument.value for argument in node.arguments]
    if node.form != "json" or not words:
        raise Refusal(f"line {step.node.line} is not understood")
    program, text = words[0].rpartition("/")[2], " ".join(words)
    if program in SHELLS or program in ("env", "su", "sudo", "install"):
        raise Refusal(f"line {step.node.line} is not understood")
    match = home.search(text)
    if match is not None:
        raise Refusal(
            f"line {step.node.line} ({match[0].split()[0]}) installs below root's home directory", _OTHER_PLACE
        )
    if program not in ("rm", "find", "rmdir") and _HOME.search(text):
        raise Refusal(f"line {step.node.line} uses root's home directory", _OTHER_PLACE)
    if program == "chmod" and not owned:
        mode = next((word for word in words[1:] if re.match(r"[0-7ugoa+=]", word)), None)
        if mode is None or _closed(mode):
            raise Refusal(f"line {step.node.line} makes files that root alone can use (chmod {mode})", _OWNER)


def _closed(mode: str) -> bool:
    """Whether a mode keeps other users from reading, or a program from being run by them."""
    if _MODE.match(mode):
        owner, other = int(mode[-3]), int(mode[-1])
        return not other & 4 or (owner & 1) > (other & 1)
    by_owner = by_others = False
    for part in mode.split(","):
        match = re.match(r"([ugoa]*)([-+=])([rwxXst]*)", part)
        if match is None:
            continue
        others = match[1] == "" or "o" in match[1] or "a" in match[1]
        if others and ((match[2] == "-" and set("rxX") & set(match[3])) or (match[2] == "=" and "r" not in match[3])):
            return True
        if match[2] != "-" and "x" in match[3]:
            by_owner, by_others = by_owner or "u" in match[1], by_others or others
    return by_owner and not by_others


def late_writer(program: Program, steps: Iterable[Step], path: str) -> Step | None:
    """The first of the steps that writes below `path`."""
    for step in steps:
        for effect in program.effects(step):
            if effect.kind == "creates" and covers(path, effect.path):
                return step
    return None
