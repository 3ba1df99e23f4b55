"""What the tools of Python, Node and Ruby need of an image: compilers, libraries, wheels for its C library."""

from __future__ import annotations

import posixpath
import re

from dfopt.analysis.context_documents import json_object, member
from dfopt.ir.effects import manager
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.passes.swap_base.files import MOST, context_path
from dfopt.passes.swap_base.target import ALPINE, SLIM, provider
from dfopt.refusal import Refusal
from dfopt.units import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from dfopt.passes.swap_base.needs import Needs

_NAME = regex(r"([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(.*)")
# programs of the user's that look for other programs or libraries by themselves
_STARTS = regex(r"\bsubprocess\b|\bos\.(?:system|popen|exec)|\bshutil\.which\b|\bctypes\b|\bchild_process\b|\bOpen3\b")
_ASIDE = regex(r"(?:^|/)(?:node_modules|tests?|__tests__|spec|docs?|examples?)/|(?:^|/)(?:test_|conftest|setup\.py)")
_VENV = frozenset(("pip", "pip3", "python", "python3"))
INTERPRETERS = frozenset(("python", "python3", "node", "nodejs", "ruby", "perl"))
_INSTALLERS = frozenset(("pip", "pip3", "npm", "npx", "yarn", "gem", "bundle", "cpan", "cpanm", "composer"))
_EXTENSION = regex(r"ext_modules|Extension\(|cffi_modules|rust_extensions|cythonize")
_HARMLESS = frozenset(
    ("esbuild", "core-js", "core-js-pure", "core-js-bundle", "fsevents", "protobufjs", "@nestjs/core")
)
_TAKING = (
    "-r", "--requirement", "-c", "--constraint", "-t", "--target", "--prefix", "-i", "--index-url", "--extra-index-url",
    "--python", "-f", "--find-links", "--trusted-host", "--root", "--platform", "--timeout",
)  # fmt: skip


def _from_subcommand(program: str, words: list[str | None]) -> list[str | None]:
    """A package manager's words from its subcommand on: options may stand before it."""
    taking = (manager(program) or {}).get("value-options", ())
    at = 0
    while at < len(words) and (word := words[at]) is not None and word.startswith("-"):
        at += 2 if word in taking else 1
    return words[at:]


class Languages:
    """Judges the language's own tools for a stage."""

    def __init__(self, survey: Needs) -> None:
        self.survey = survey
        self.console: set[str] = set()  # programs that pip has installed
        self.built = False  # a script of package.json may have made files

    def takes(self, name: str, path: str, words: tuple[str | None, ...], line: int) -> bool:
        """Whether the program is one of these, and is fine. Raises Refusal."""
        own = self.survey.target.own
        if name in own or (own and "/bin/" in path and name in _VENV):
            if path.startswith(("/usr/bin/", "/bin/")):
                self._stop(line, f"{path} is Debian's own {name}, not that of the image")
        elif name in self.console:
            for word in words:
                match = re.fullmatch(r"([A-Za-z_][\w.]*):[A-Za-z_]\w*(?:\(\))?", word or "")
                if match:
                    self._module(match[1], line)
            return True
        elif name in _INSTALLERS and name in self.survey.have:
            self._stop(line, f"{name} is that of another version of its language there")
        elif name not in INTERPRETERS or name not in self.survey.have:
            return False
        name = {"pip3": "pip", "python3": "python"}.get(name, name)
        if name == "pip":
            self._pip(list(words), line)
        elif name == "python":
            self._python(list(words), line)
        elif name in ("npm", "npx"):
            self._npm(name, list(words), line)
        elif name in ("yarn", "yarnpkg", "corepack"):
            if any(word in ("install", "add", None) for word in words) or not words:
                self._stop(line, f"whether {name} compiles anything is not known")
        elif name in ("bundle", "bundler", "gem"):
            self._ruby(list(words), line)
        elif name in ("node", "nodejs", "ruby", "perl"):
            self._program(list(words), line)
        elif name == "java":
            self._java(words, line)
        elif name not in ("prove", "irb", "pydoc3", "python3-config"):
            self._stop(line, f"what {name} needs is not known")
        return True

    def _java(self, words: tuple[str | None, ...], line: int) -> None:
        """A program that was compiled elsewhere runs without the JDK, unless it asks for a part of that."""
        if "-jar" not in words and not {"-cp", "-classpath", "--class-path"} & {*words}:
            self._stop(line, "what java runs is not known")
        for word in words:
            if word is not None and word.startswith(("-javaagent", "-agent", "--add-modules", "-m", "--module")):
                self._stop(line, f"whether the run time of Java has what {word} names is not known")

    def scan(self, files: list[str] | None, line: int) -> None:
        """All program texts that the image holds: none may ask for other programs or libraries."""
        if files is None:
            self._stop(line, "what the build context holds is not known")
        texts = [name for name in files if name.endswith((".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl"))]
        texts = [name for name in texts if not _ASIDE.search(name)]
        if len(texts) > MOST:
            self._stop(line, "there are too many program texts to look at")
        for name in texts:
            content = self.survey.facts.context_file(name) or b""
            self.source(name, content.decode("utf-8", "replace"), line)

    def source(self, path: str, text: str, line: int) -> None:
        """A program text of the user's: it must not ask for other programs or libraries."""
        match = _STARTS.search(text)
        if match:
            self._stop(line, f"{path} uses {match[0]}: what it calls is not known")

    def _stop(self, line: int, why: str) -> NoReturn:
        raise Refusal(f"line {line}: {why}")

    def _text(self, path: str) -> str | None:
        survey = self.survey
        scope = survey.program.scope(survey.done[-1]) if survey.done else None
        workdir = scope.workdir if scope is not None and isinstance(scope.workdir, str) else "/"
        if survey.done and survey.done[-1].node.keyword == "WORKDIR":
            workdir = self._workdir() or workdir
        full = posixpath.normpath(posixpath.join(workdir, path))
        name = context_path(survey.program, survey.done, full, survey.facts)
        content = survey.facts.context_file(name) if name is not None else None
        return content.decode("utf-8", "replace") if content is not None else None

    def _workdir(self) -> str | None:
        """WORKDIR behind the last step that was read."""
        from dfopt.ir.scopes import join_path

        survey = self.survey
        step = survey.done[-1]
        scope = survey.program.scope(step)
        value = scope.expand(step.node.arguments[0].value, survey.program.dockerfile.escape)
        joined = join_path(scope.workdir, value)
        return joined if isinstance(joined, str) else None

    # --- Python -------------------------------------------------------------------------------------------------------
    def _python(self, words: list[str | None], line: int) -> None:
        at = next((i for i, word in enumerate(words) if word is None or not re.fullmatch(r"-[uBEIOsSqv]+", word)), None)
        if at is None:
            return
        word, rest = words[at], words[at + 1 :]
        if word is None:
            self._stop(line, "a variable names the script that Python runs")
        elif word == "-m":
            module = rest[0] if rest else None
            if module == "pip":
                self._pip(rest[1:], line)
            elif module is None:
                self._stop(line, "a variable names the module that Python runs")
            elif module not in ("venv", "http.server", "compileall", "unittest", "ensurepip", "json.tool"):
                self._module(module, line)
        elif word == "-c":
            self.source("python -c", rest[0] or "subprocess" if rest else "", line)
        elif not word.startswith("-"):
            self._program([word, *rest], line)

    def _module(self, module: str, line: int) -> None:
        base = module.replace(".", "/")
        text = self._text(f"{base}.py") or self._text(f"{base}/__main__.py")
        if text is not None:
            self.source(module, text, line)
        elif module.partition(".")[0] not in self.console:
            self._stop(line, f"what python -m {module} does is not known")

    def _program(self, words: list[str | None], line: int) -> None:
        script = next((word for word in words if word is None or not word.startswith("-")), "")
        if script is None:
            self._stop(line, "a variable names the script that runs")
        elif script:
            text = self._text(script)
            if text is None and not self.built:
                self._stop(line, f"what {script} does is not known")
            if text is not None and script in ("setup.py", "./setup.py"):
                self._local(text, line)
            elif text is not None:
                self.source(script, text, line)

    def _pip(self, words: list[str | None], line: int) -> None:
        words = _from_subcommand("pip", words)
        if not words or words[0] not in ("install", "wheel", "download"):
            if None in words[:1]:
                self._stop(line, "a variable is pip's command")
            return
        sdist: set[str] = set()
        asked: list[str] = []
        skip = False
        for index, word in enumerate(words[1:], 1):
            following = words[index + 1] if index + 1 < len(words) else None
            if skip:
                skip = False
            elif word is None:
                self._stop(line, "a variable names what pip installs")
            elif word in ("-r", "--requirement"):
                asked += self._requirements(following, line)
                skip = True
            elif word.startswith("--no-binary"):
                value = word.partition("=")[2] or following or ""
                skip = "=" not in word
                sdist |= set(value.split(","))
            elif word.startswith("-r") and len(word) > 2:
                asked += self._requirements(word[2:], line)
            elif word in _TAKING:
                skip = True
            elif not word.startswith("-"):
                asked.append(word)
        for one in asked:
            if one.startswith("--no-binary"):
                sdist |= set(re.split(r"[\s=,]+", one)[1:])
        for one in asked:
            if not one.startswith("-"):
                self._requirement(one, sdist, line)

    def _requirements(self, path: str | None, line: int, depth: int = 0) -> list[str]:
        text = self._text(path) if path is not None else None
        if text is None or depth > 3:
            self._stop(line, f"what {path or 'the file of requirements'} holds is not known")
        found: list[str] = []
        for raw in (text or "").split("\n"):
            entry = re.sub(r"(?:^|\s)#.*", "", raw).strip().rstrip("\\").strip()
            nested = re.match(r"(?:-r|--requirement)[\s=]*(\S+)", entry)
            if nested:
                here = posixpath.dirname(path or "")
                found += self._requirements(posixpath.join(here, nested[1]), line, depth + 1)
            elif entry and not entry.startswith("--hash"):
                found.append(entry)
        return found

    def _requirement(self, asked: str, sdist: set[str], line: int) -> None:
        if asked.startswith((".", "/")) or re.match(r"\w+(?:/\w+)+\Z", asked):
            self._project(asked, line)
            return
        if "://" in asked or asked.startswith("git+") or "@" in asked:
            self._stop(line, f"what pip builds from {asked} is not known")
        match = _NAME.match(asked)
        name = re.sub(r"[-_.]+", "-", match[1]).lower() if match else asked
        self.console |= {name, *{"flask": ("flask",), "django": ("django-admin",)}.get(name, ())}
        if name == "waitress":
            self.console.add("waitress-serve")
        self._started_by("python", name, line)
        known: dict[str, Any] = table("python_packages")
        build = known["build"].get(name)
        if name in sdist or ":all:" in sdist or build is not None:
            if build is None or self.survey.target.kind != SLIM:
                self._stop(line, f"what pip needs to build {name} is not known")
            for package in build or ():
                if package in self.survey.target.lacks:
                    self.survey.need(package, line)
            return
        if name in known["pure"]:
            return
        if name in known["glibc"] and self.survey.target.kind == ALPINE:
            self._stop(line, f"{name} has no wheel for musl")
        if name not in known["wheels"] and name not in known["glibc"]:
            self._stop(line, f"whether pip compiles {name} is not known")
        version = re.search(r"python:(\d+)\.(\d+)", self.survey.target.image)
        if version is not None and (whole_number(version[1]), whole_number(version[2])) < (3, 9):
            self._stop(line, f"whether {name} has a wheel for Python {version[1]}.{version[2]} is not known")
        if match and re.search(r"==|===|<(?!=?\s*\d+\s*(?:,|\Z))", match[2]):
            self._stop(line, f"whether {asked} has a wheel for this Python is not known")

    def _project(self, path: str, line: int) -> None:
        texts = [self._text(posixpath.join(path, name)) for name in ("setup.py", "pyproject.toml", "setup.cfg")]
        if not any(texts):
            self._stop(line, f"what pip builds from {path} is not known")
        self._local("\n".join(text for text in texts if text), line)
        for entry in re.findall(r"(?m)^[^\S\n]*([\w-]+)\s*=\s*[\"'][\w.]+:\w+", texts[1] or ""):
            self.console.add(entry)
        for one in re.findall(r"[\"']([^\"']+)[\"']", _dependencies(texts[1] or "")):
            self._requirement(one, set(), line)
        if (texts[0] and "install_requires" in texts[0]) or (texts[2] and "install_requires" in texts[2]):
            self._stop(line, f"what {path} depends on is not known")

    def _local(self, text: str, line: int) -> None:
        """A project that is built: with extensions it needs a compiler, and nothing else is known of it."""
        if not _EXTENSION.search(text):
            return
        if self.survey.target.kind != SLIM or re.search(r"libraries\s*=|cython|rust|cffi|pkg.?config", text, re.I):
            self._stop(line, "what its extensions are linked with is not known")
        for package in ("gcc", "libc6-dev"):
            self.survey.need(package, line)

    def _started_by(self, language: str, name: str, line: int) -> None:
        """Needs the packages of the programs that a module starts when it is used."""
        for package in table("split_libraries")["modules"][language].get(name, ()):
            target = self.survey.target
            if package in target.lacks or target.kind == ALPINE:
                self.survey.need(package, line)

    # --- Node and Ruby ------------------------------------------------------------------------------------------------
    def _npm(self, name: str, words: list[str | None], line: int) -> None:
        if any((word or "").partition("=")[0] in ("--prefix", "-C", "-w", "--workspace") for word in words):
            self._stop(line, f"{name} works in another directory")
        words = _from_subcommand(name, words)
        command = words[0] if words else ""
        manifest = self._json("package.json")
        if command in ("ci", "install", "i", "add"):
            extra = [w for w in words[words.index(command) + 1 :] if w is None or not w.startswith("-")]
            if extra:
                self._stop(line, f"whether npm compiles {extra[0] or 'a package'} is not known")
            if manifest is None:
                self._stop(line, "what npm installs is not known: there is no package.json")
            elif manifest.get("dependencies") or manifest.get("devDependencies") or manifest.get("workspaces"):
                self._lock(line)
            for hook in ("preinstall", "install", "postinstall", "prepare"):
                self._scripted(manifest or {}, hook, line)
        elif command in ("start", "test", "stop", "restart"):
            self._scripted(manifest or {}, command, line)
        elif command in ("run", "run-script"):
            behind = [w for w in words[words.index(command) + 1 :] if w is None or not w.startswith("-")]
            script = behind[0] if behind else None
            if manifest is None or script is None:
                self._stop(line, "which script npm runs is not known")
            self.built = True
            for prefix in ("pre", "", "post"):
                self._scripted(manifest or {}, f"{prefix}{script}", line)
        elif command is None or (name == "npm" and command in ("exec", "rebuild", "link")):
            self._stop(line, "what npm runs is not known")
        elif name == "npx":
            self.built = True

    def _json(self, name: str) -> dict[str, Any] | None:
        return json_object(self._text(name))

    def _lock(self, line: int) -> None:
        lock = self._json("package-lock.json") or self._json("npm-shrinkwrap.json")
        packages = lock.get("packages") if lock is not None else None
        if not isinstance(packages, dict):
            old = lock is not None and lock.get("lockfileVersion") == 1
            why = "the lock file is of version 1, which does not tell" if old else "no lock file tells it"
            self._stop(line, f"which packages npm installs, and what their scripts do, is not known: {why}")
        for path, entry in packages.items():
            name = path.rpartition("node_modules/")[2]
            self._started_by("node", name, line)
            if isinstance(entry, dict) and entry.get("hasInstallScript") and name not in _HARMLESS:
                self._stop(line, f"the package {name} has an install script, which may compile")

    def _scripted(self, manifest: dict[str, Any], script: str, line: int) -> None:
        """A script of package.json: what it calls is in node_modules, or must not be what the new image lacks."""
        text = member(manifest, "scripts").get(script)
        if not isinstance(text, str):
            return
        for part in re.split(r"&&|\|\||;|\|", text):
            words = part.split()
            while words and "=" in words[0]:
                words = words[1:]
            if not words:
                continue
            package = provider(words[0])
            if words[0] in ("make", "node-gyp", "bash") or (package and package in self.survey.target.lacks):
                self._stop(line, f"the script {script} of package.json calls {words[0]}")
            if words[0] == "node":
                self._program(list(words[1:]), line)

    def _ruby(self, words: list[str | None], line: int) -> None:
        command = words[0] if words else "install"
        if command not in ("install", "update", None):
            if command in ("exec", "config", "list", "check", "clean"):
                return
            self._stop(line, f"what bundle {command} does is not known")
        gemfile = self._text("Gemfile")
        if gemfile is None or re.search(r"(?m)^[^\S\n]*(?:gem|gemspec|eval_gemfile)\b", gemfile):
            self._stop(line, "whether a gem compiles anything is not known")


def _dependencies(text: str) -> str:
    """What stands in the brackets of `dependencies = [...]` of a pyproject.toml."""
    begin = re.search(r"(?m)^dependencies\s*=\s*\[", text)
    end = re.compile(r"(?m)\][^\S\n]*$").search(text, begin.end()) if begin else None
    return text[begin.end() : end.start()] if begin and end else ""
