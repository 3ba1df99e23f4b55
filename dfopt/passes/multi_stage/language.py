"""What the packages of a language need from the system, and where its tools put them."""

from __future__ import annotations

import re
from itertools import pairwise

from dfopt.analysis.context_documents import json_object, member, texts, toml_table
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.passes.multi_stage.packages import libraries
from dfopt.passes.multi_stage.unblock import BUILD, CONTEXT
from dfopt.refusal import Refusal
from dfopt.units import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.facts import Facts
    from dfopt.passes.multi_stage.bases import BuilderImage
    from dfopt.passes.multi_stage.flow import Flow
    from dfopt.passes.multi_stage.tool_outputs import ToolContext, ToolOutputs
    from dfopt.stage_templates.stage_recipes import StageRecipe

_PYTHON = {
    "trixie": "3.13",
    "bookworm": "3.11",
    "bullseye": "3.9",
    "noble": "3.12",
    "jammy": "3.10",
    "focal": "3.8",
    "bionic": "3.6",
}
# Options of `pip install` that take a value (pip 25)
_PIP_TAKING = frozenset((
    "-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "--find-links",
    "--timeout", "--trusted-host", "--progress-bar", "--root-user-action", "--only-binary", "--no-binary", "--platform",
    "--retries", "--default-timeout", "-t", "--target", "--prefix", "--root",
))  # fmt: skip


def language_needs(recipe: StageRecipe, context: ToolContext, out: ToolOutputs, base: BuilderImage) -> list[str]:
    """Packages for the run that the language's own packages need. Raises Refusal where one is not known and the base
    image, which changes, may be what it relies on."""
    changes = base.run != base.image
    if recipe.name == "python" and changes:
        release = base.release or "trixie"
        return [library for package in _python(context, out) for library in _of_release(package, release)]
    if recipe.name == "node" and changes:
        return _node(context, out)
    if recipe.name == "ruby" and changes:
        return _ruby(context, out, base)
    if recipe.name == "rust":
        return _rust(recipe, out, base)
    return []


def _of_release(package: str, release: str) -> tuple[str, ...]:
    """The libraries of a -dev package in a release; another package as it is. Raises Refusal."""
    if not package.endswith("-dev"):
        return (package,)
    packages = libraries(package, release)
    if packages is None:
        raise Refusal(f"the libraries of {package} in {release} are not known", BUILD)
    return packages


def _python(context: ToolContext, out: ToolOutputs) -> list[str]:
    """By the names in requirements files and on the command line."""
    facts = table("split_libraries")
    own = frozenset(facts["pypi-own"]["names"])
    return [package for word in _python_words(context, out) for package in _distribution(word, facts["pypi"], own)]


def _python_words(context: ToolContext, out: ToolOutputs) -> Iterator[str]:
    """The requirements, as pip reads them, of all that is installed. Raises Refusal where some are not at hand."""
    for line in out.notes.get("pip-words", "").split("\n"):
        if not line:
            continue
        directory, *words = line.split("\t")
        skip = ""
        for word in words[1:]:
            option, skip = skip, ""
            if option in ("-r", "--requirement"):
                yield from _requirements(context, directory, word)
            elif option:
                continue
            elif word in _PIP_TAKING:
                skip = word
            elif word.startswith("-r") and len(word) > 2:
                yield from _requirements(context, directory, word[2:])
            elif word.startswith("--requirement="):
                yield from _requirements(context, directory, word.partition("=")[2])
            elif word.startswith("-"):
                continue
            elif word.startswith((".", "/")) or word.endswith(".whl"):
                yield from _project(context, directory, word)
            elif "://" in word or "git+" in word:
                raise Refusal(f"what {word} needs of the base image is not known", BUILD)
            else:
                yield word


def requirement_files(out: ToolOutputs) -> set[str]:
    """The paths of the files that `pip install -r` reads."""
    paths: set[str] = set()
    for line in out.notes.get("pip-words", "").split("\n"):
        directory, *words = line.split("\t")
        for option, word in pairwise(words):
            path = join_path(directory, word) if option in ("-r", "--requirement") else None
            if isinstance(path, str):
                paths.add(path)
    return paths


def _distribution_name(word: str) -> str:
    """The normalized name of a requirement (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[=<>~!;@ ]", word, maxsplit=1)[0]).lower()


def _distribution(word: str, needs: dict[str, list[str]], own: frozenset[str]) -> list[str]:
    name = _distribution_name(word)
    if not name:
        return []
    if name in needs:
        return needs[name]
    if name in own or name.startswith(("types-", "flask-", "django-", "pytest-", "sphinx")):
        return []
    raise Refusal(f"what the distribution {name} needs of the base image is not known", BUILD)


def _requirements(context: ToolContext, directory: str, word: str, depth: int = 0) -> list[str]:
    path = str(join_path(directory, word))
    text = context.text(path)
    if text is None or depth > 4:
        raise Refusal(
            f"{word} is not at hand, so that what its packages need of the base image is not known",
            CONTEXT,
        )
    requirements: list[str] = []
    for line in text.replace("\\\n", " ").splitlines():
        line = re.sub(r"(?:^|\s)#.*", "", line).strip()
        line = re.sub(r"\s--hash=\S+", "", line)
        if not line:
            continue
        include = re.match(r"(?:-r|--requirement|-c|--constraint)[ =]*(\S+)", line)
        if include:
            if line.startswith(("-r", "--requirement")):
                requirements += _requirements(context, path.rpartition("/")[0], include[1], depth + 1)
            continue
        if line.startswith("-e") or "git+" in line or ("://" in line.split("#")[0] and not line.startswith("-")):
            raise Refusal(f"what {line} in {word} needs of the base image is not known", BUILD)
        if not line.startswith("-"):
            requirements.append(line)
    return requirements


def _project(context: ToolContext, directory: str, word: str) -> list[str]:
    """What a project's own pyproject.toml (or setup.py) names as dependencies."""
    base = str(join_path(directory, word.split("[")[0])).rstrip("/")
    text = context.text(f"{base}/pyproject.toml")
    names: list[str] = []
    if text is not None:
        try:
            content = toml_table(text)
        except ValueError:
            raise Refusal("pyproject.toml is not understood") from None
        names += texts(member(content, "project"), "dependencies")
        poetry = member(member(member(content, "tool"), "poetry"), "dependencies")
        names += [name for name in poetry if name != "python"]
    setup = context.text(f"{base}/setup.py")
    if setup is not None:
        listed = re.search(r"install_requires\s*=\s*\[", setup)
        end = setup.find("]", listed.end()) if listed else -1
        if listed and end >= 0:
            names += re.findall(r"[\"']([^\"']+)[\"']", setup[listed.end() : end])
        elif "install_requires" in setup:
            raise Refusal("setup.py computes its dependencies")
    if text is None and setup is None:
        raise Refusal(f"the project that pip installs from {word} is not at hand", CONTEXT)
    return names


def _node(context: ToolContext, out: ToolOutputs) -> list[str]:
    """By the lock file: a module that is compiled, or finds a compiled part of its own, needs one of a few helpers."""
    facts = table("split_libraries")["npm"]
    places = _node_places(out)
    for name in out.notes.get("global", "").split():
        if name.rpartition("@")[0] or name in (
            "serve",
            "http-server",
            "pm2",
            "nodemon",
            "ts-node",
            "express-generator",
            "json-server",
        ):
            name = name.rpartition("@")[0] or name
        if name not in ("serve", "http-server", "pm2", "nodemon", "ts-node", "json-server", "express-generator"):
            raise Refusal(f"what the module {name} needs of the base image is not known", BUILD)
    for place in places:
        names, locked = _node_names(context, place)
        unknown = sorted(names - set(facts["pure"]))
        if not locked and unknown:
            raise Refusal(
                f"there is no lock file, and whether {unknown[0]} brings a module that is compiled is not known",
                "add the lock file to the build context",
            )
        if names & set(facts["own"]):
            continue
        helper = sorted(names & set(facts["helpers"]))
        if helper:
            raise Refusal(
                f"a module uses {helper[0]}, and what its compiled part needs of the base image is not known", BUILD
            )
    return []


def _node_places(out: ToolOutputs) -> set[str]:
    """The directories whose node_modules were filled."""
    return {
        entry.path.rpartition("/")[0]
        for entry in out.paths
        if entry.role == "packages" and entry.path.endswith("/node_modules")
    }


def _node_names(context: ToolContext, place: str) -> tuple[set[str], bool]:
    """The modules that are installed in a directory, and whether a lock file names them all. Raises Refusal."""
    lock = context.text(f"{place}/package-lock.json") or context.text(f"{place}/npm-shrinkwrap.json")
    yarn = context.text(f"{place}/yarn.lock") or context.text(f"{place}/pnpm-lock.yaml")
    if lock is not None:
        content = json_object(lock)
        if content is None:
            raise Refusal("package-lock.json is not understood")
        names = {path.rpartition("node_modules/")[2] for path in member(content, "packages") if path}
        return names | set(member(content, "dependencies")), True
    if yarn is not None:
        return set(re.findall(r"^[^\S\n]*/?[\"']?(@?[\w./-]+)@", yarn, re.M)), True
    manifest = context.text(f"{place}/package.json")
    if manifest is None:
        raise Refusal(
            "package.json is not at hand, so that which modules are compiled is not known",
            CONTEXT,
        )
    project = json_object(manifest)
    if project is None or not isinstance(project.get("dependencies") or {}, dict):
        raise Refusal("package.json is not understood")
    return set(member(project, "dependencies")), False


def _ruby(context: ToolContext, out: ToolOutputs, base: BuilderImage) -> list[str]:
    """By Gemfile.lock, or without one by a Gemfile that names known gems alone."""
    facts = table("split_libraries")["gems"]
    own = frozenset(table("split_libraries")["gems-own"]["names"])
    packages: list[str] = []
    locked = any(entry.kind == "context" and entry.path.endswith("/Gemfile.lock") for entry in context.flow.sources())
    for entry in context.flow.sources():
        lock = entry.path.endswith("/Gemfile.lock")
        if entry.kind != "context" or not (lock or (entry.path.endswith("/Gemfile") and not locked)):
            continue
        data = context.facts.context_file(entry.source)
        if data is None:
            raise Refusal(f"{entry.source} is not at hand", CONTEXT)
        text = data.decode("utf-8", "replace")
        pattern = r"^    ([\w.-]+) \(" if lock else r"^\s*gem\s+[\"']([\w.-]+)"
        for name in re.findall(pattern, text, re.M):
            package = facts.get(name)
            if package:
                packages += libraries(package, base.release or "trixie") or ()
            elif package is None and not lock and name not in own:
                raise Refusal(
                    f"what the gem {name} needs of the base image is not known, and there is no Gemfile.lock",
                    "add the lock file to the build context",
                )
    return packages


def _rust(recipe: StageRecipe, out: ToolOutputs, base: BuilderImage) -> list[str]:
    """By the crates of Cargo.lock: one that links a library of the system is called NAME-sys."""
    packages: list[str] = []
    for crate in dict.fromkeys(out.crates):
        if not crate.endswith("-sys") and crate not in recipe.crates:
            continue
        package = recipe.crates.get(crate)
        if package is None:
            raise Refusal(f"what the crate {crate} is linked with is not known", BUILD)
        if package:
            packages += libraries(package, base.release or "trixie") or ()
    return packages


def module_packages(recipe: StageRecipe, context: ToolContext, out: ToolOutputs) -> list[str]:
    """Packages whose programs a language's modules start, as far as the modules are known."""
    programs = table("split_libraries")["modules"].get(recipe.name, {})
    modules: set[str] = set()
    try:
        if recipe.name == "python":
            for word in _python_words(context, out):
                modules.add(_distribution_name(word))
        elif recipe.name == "node":
            for place in sorted(_node_places(out)):
                modules |= _node_names(context, place)[0]
        elif recipe.name == "ruby":
            for entry in context.flow.sources():
                if entry.kind == "context" and entry.path.endswith("/Gemfile.lock"):
                    text = (context.facts.context_file(entry.source) or b"").decode("utf-8", "replace")
                    modules |= set(re.findall(r"^    ([\w.-]+) \(", text, re.M))
                    modules |= {"git"} if re.search(r"^GIT$", text, re.M) else set()
    except Refusal:
        pass  # what is not known counts where the base image changes: `language_needs` refuses then
    return list(dict.fromkeys([package for name in sorted(modules) for package in programs.get(name, ())]))


def package_places(recipe: StageRecipe, out: ToolOutputs, base: BuilderImage, flow: Flow, facts: Facts) -> list[str]:
    """Directories in which a language's tools keep what they installed for the whole system. Raises Refusal."""
    paths: list[str] = []
    if recipe.name == "python" and out.notes.get("uv-python") and not _satisfied(out.notes["uv-python"], base.image):
        raise Refusal(f"whether uv takes the Python of {base.image} is not known (it must be {out.notes['uv-python']})")
    if recipe.name == "python" and "site" in out.notes:
        if "python" in base.has:
            version = re.match(r".*?:(\d+\.\d+)", base.image)
            if version is None:
                return ["/usr/local"]  # the tag does not tell the version, which is in the paths: Python and all
            paths.append(f"/usr/local/lib/python{version[1]}/site-packages")
        else:
            known = _PYTHON.get(base.release)
            if known is None:
                raise Refusal(
                    f"the version of Python in {base.image} is not known, and with it where pip installs",
                    "start from an image of Python whose tag has the version",
                )
            paths.append(f"/usr/local/lib/python{known}/dist-packages")
        paths.append("/usr/local/bin")
    if recipe.name == "ruby" and "gems" in out.notes:
        if "ruby" not in base.has:
            raise Refusal("where gems are installed is not known")
        paths.append("/usr/local/bundle")
    if recipe.name == "node" and "global" in out.notes:
        paths += ["/usr/local/lib/node_modules", "/usr/local/bin"]
    return paths


def _satisfied(wanted: str, image: str) -> bool:
    """Whether the Python that an image's tag tells, as 3.12, is one of `wanted`: bounds as in ">=3.9,<4"."""
    told = re.match(r".*?:(\d+)\.(\d+)", image)
    for part in wanted.split(","):
        bound = re.fullmatch(r"(>=|<|==|~=)\s*(\d+)(?:\.(\d+))?(?:\.(?:\d+|\*))?", part.strip())
        if told is None or bound is None:
            return False
        ours = whole_number(told[1]), whole_number(told[2])
        theirs = whole_number(bound[2]), whole_number(bound[3] or "0")
        if not {">=": ours >= theirs, "<": ours < theirs, "==": ours == theirs, "~=": ours == theirs}[bound[1]]:
            return False
    return True
