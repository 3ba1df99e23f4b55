"""The plan of a split where the last stage only serves files that it built: a web server's image takes its place."""

from __future__ import annotations

import fnmatch
import re

from dfopt.analysis.context_documents import json_object, member
from dfopt.analysis.system_paths import SHARED
from dfopt.ir.effects import covers, overlap
from dfopt.ir.image_config import image_config
from dfopt.ir.scopes import join_path
from dfopt.ir.written_paths import paths_written_by
from dfopt.knowledge import table
from dfopt.passes.multi_stage.bases import base_of
from dfopt.passes.multi_stage.copy_selection import StageCopy
from dfopt.passes.multi_stage.launch import launch_of
from dfopt.passes.multi_stage.servers import check_major, site_of
from dfopt.passes.multi_stage.stage_settings import StageSettings, settings
from dfopt.passes.multi_stage.unblock import CONTEXT
from dfopt.passes.multi_stage.written_paths import WrittenPath, copied, is_scratch
from dfopt.record import Record, replace
from dfopt.refusal import Refusal
from dfopt.syntax.expand import Unknown
from dfopt.units import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from dfopt.facts import Facts
    from dfopt.ir.image_config import ImageConfig
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.passes.multi_stage.launch import Launch
    from dfopt.passes.multi_stage.servers import StaticSite
    from dfopt.stage_templates.stage_recipes import StageRecipe

_READERS = ("RUN", "COPY", "ADD")
_HEREDOC = (1, 4)  # the Dockerfile syntax that has COPY <<EOF
_NOT_OVER = frozenset(("CMD", "ENTRYPOINT", "USER"))  # nginx's image has its own
# Signals that stop nginx: others make it reload, or do nothing. Source: nginx(8)
_STOPS = ("SIGTERM", "SIGQUIT", "SIGINT", "15", "3", "2")


class SitePlan(Record):
    """As `plan.SplitPlan`; `config` is the text of the web server's configuration."""

    recipe: StageRecipe
    image: str
    copies: tuple[StageCopy, ...]
    settings: StageSettings
    base_mb: int
    run_mb: int
    config: str


def site_plan(program: Program, stage: Stage, facts: Facts, own: tuple[str, ...]) -> SitePlan | None:
    """The plan for a stage that only serves files; None for any other. Raises Refusal where a server is not replaced,
    for what it is told or for what is not known."""
    base = base_of(stage.image)
    builds = any(step.node.keyword == "RUN" for step in stage.steps)
    if base is None or base.mb is None or stage.parent is not None or not builds:
        return None
    return _Sites(program, stage, facts).plan(own, base.mb)


class _Sites:
    def __init__(self, program: Program, stage: Stage, facts: Facts) -> None:
        self.program = program
        self.stage = stage
        self.facts = facts
        self.paths: list[WrittenPath] | None = None

    def plan(self, own: tuple[str, ...], mb: int) -> SitePlan | None:
        from dfopt.stage_templates.stage_recipes import config_text, stage_recipes

        launch = launch_of(self.program, self.stage, self.facts, self.text)
        if launch is None or not self.is_package(launch):
            return None
        site = site_of(launch)
        if site is None:
            return None
        recipe = next(
            (recipe for recipe in stage_recipes(own) if recipe.keeps == "site"
             and any(fnmatch.fnmatchcase(site.server, pattern) for pattern in recipe.starts)), None,
        )  # fmt: skip
        if recipe is None:
            return None
        config = image_config(self.program, self.stage)
        site = self.known_port(site, config)
        site = self.known_root(site, launch.directory)
        self.check_manifest(site, launch.directory)
        self.check_configs(site)
        self.check_steps(config)
        image = self.image(recipe, site, config)
        after = base_of(image)
        run_mb = 50 if after is None or after.mb is None else after.mb
        if mb - run_mb < 20:
            return None
        values = {"site": {**site.answers, "port": site.port, "root": site.root, "server": site.server}}
        return SitePlan(
            recipe, image, (StageCopy((site.root,), site.root, self.owner(site, config)),),
            self.settings(recipe, config), mb, run_mb, config_text(recipe, values),
        )  # fmt: skip

    def files(self) -> list[WrittenPath]:
        """The files of the build context, at their places in the image."""
        if self.paths is not None:
            return self.paths
        self.paths = []
        directories: set[str] = set()
        for step in self.stage.steps:
            keyword = step.node.keyword
            if keyword == "WORKDIR":
                scope = self.program.scope(step)
                word = scope.expand(step.node.arguments[0].value, self.program.dockerfile.escape)
                path = join_path(scope.workdir, word)
                if isinstance(path, str):
                    directories.add(path)
            elif keyword in ("COPY", "ADD"):
                try:
                    self.paths += copied(self.program, step, self.facts, directories, "/")
                except Refusal:
                    continue  # what it has is not needed for certain; a file that is asked for is not at hand
        return self.paths

    def text(self, path: str) -> str | None:
        """The text of a file of the image that comes from the build context."""
        for entry in reversed(self.files()):
            source = entry.source if entry.path == path and entry.kind == "context" else ""
            if entry.kind == "tree" and covers(entry.path, path):
                source = (entry.source.removeprefix(".") + path[len(entry.path.rstrip("/")) :]).lstrip("/")
            if source:
                data = self.facts.context_file(source)
                return None if data is None else data.decode("utf-8", "surrogateescape")
        return None

    def known_port(self, site: StaticSite, config: ImageConfig) -> StaticSite:
        """The port that the file itself tells."""
        if site.said or not table("site_servers")["server"][site.server].get("reads-port"):
            return site
        value = config.env.get("PORT", str(site.port))
        port = int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,5}", value) else 0
        if str(port) not in [str(exposed).partition("/")[0] for exposed in config.ports]:
            raise Refusal(f"{site.server} listens where the variable PORT says when the container starts")
        return replace(site, port=port)  # type: ignore[no-any-return]

    def known_root(self, site: StaticSite, directory: str) -> StaticSite:
        """The directory that is served, which steps of the stage make. Raises Refusal."""
        other = table("site_servers")["server"][site.server].get("root-if")
        if other and site.default_root:
            place = f"{directory.rstrip('/')}/{other}"
            if not any(covers(place, entry.path) for entry in self.files()):
                raise Refusal(f"{site.server} serves {place} where it is there, and whether it is is not known")
            site = replace(site, root=place)
        root = site.root
        if root in SHARED or is_scratch(root) or covers("/usr/share/nginx", root) or covers("/etc", root):
            raise Refusal(f"{site.server} serves {root}, where images have files of their own")
        if not re.fullmatch(r"[\w./@+~-]+", root):
            raise Refusal(f"the path {root} has unusual characters")
        paths = paths_written_by(self.program, self.stage)
        if not any(overlap(path, root) for path in paths):
            raise Refusal(f"no step makes {root}, which {site.server} serves")
        return site

    def is_package(self, launch: Launch) -> bool:
        """Whether a program that is called like a server is that of the package of its name, or Python itself. Raises
        Refusal where its version is not known."""
        name = launch.words[0]
        row = table("site_servers")["server"].get(name)
        if name is None or row is None:
            return name is not None and name.startswith("python")
        if name == "vite" and "preview" not in launch.words:
            return False
        if "apt" in row:
            return self.of_distribution(row["apt"])
        manifest = self.manifest(launch.directory)
        dependencies = [member(manifest, key) for key in ("dependencies", "devDependencies")]
        versions = [*[versions[name] for versions in dependencies if name in versions], *self.globally(name)]
        for version in versions:
            check_major(name, str(version))
        return bool(versions) or launch.package

    def of_distribution(self, packages: Sequence[str]) -> bool:
        """Whether a server is one of Debian's packages in an image that builds. Raises Refusal where a step may change
        its configuration."""
        base = base_of(self.stage.image)
        if base is None or not base.has - {"certs"}:
            return False
        installed = False
        for step in self.stage.steps:
            if step.node.keyword == "RUN":
                calls = self.program.commands(step).invocations
                installed = installed or any(
                    call.program in ("apt", "apt-get") and {*call.values} & {*packages} for call in calls
                )
            text = step.node.joined.text
            if step.node.keyword in _READERS and re.search(
                r"/etc(?![\w/.-]{0,200}/apt\b)|nginx\.conf|sites-\w+|conf\.d", text
            ):
                line = step.node.line
                raise Refusal(f"line {line} may change the configuration of nginx, which is not followed")
        return installed

    def manifest(self, directory: str) -> dict[str, Any]:
        """The package.json of a directory; {} where there is none, or none that is understood."""
        return json_object(self.text(f"{directory.rstrip('/')}/package.json")) or {}

    def check_manifest(self, site: StaticSite, directory: str) -> None:
        if site.server == "serve" and directory == site.root and self.manifest(directory).get("static"):
            raise Refusal("package.json changes what serve answers (`static`)")

    def globally(self, name: str) -> list[str]:
        """The versions ("" for any) of a package that commands of the stage install for the whole image."""
        versions: list[str] = []
        for step in self.stage.steps:
            for invocation in self.program.commands(step).invocations if step.node.keyword == "RUN" else ():
                if invocation.program in ("npm", "yarn", "pnpm") and {"-g", "--global", "global"} & set(
                    invocation.values
                ):
                    words = [value.partition("@") for value in invocation.values if value is not None]
                    versions += [version for package, _, version in words if package == name]
        return versions

    def check_configs(self, site: StaticSite) -> None:
        """Raises Refusal where a file of the build context changes what the server answers."""
        names = table("site_servers")["server"][site.server].get("configs", ())
        paths = self.facts.context_paths() if names else frozenset()
        if paths is None:
            reason = f"whether there is a {names[0]}, which changes what {site.server} answers, is not known"
            raise Refusal(f"{reason} without the build context", CONTEXT)
        rules = table("site_servers")["vite"]
        for path in sorted(path for path in paths if path.rpartition("/")[2] in names):
            if site.server != "vite":
                raise Refusal(f"{path} changes what {site.server} answers")
            data = self.facts.context_file(path)
            if data is None:
                raise Refusal(f"{path}, which may change what vite answers, cannot be read")
            text = data.decode("utf-8", "surrogateescape")
            loads = re.findall(r"(?:from|require\()\s*[\"']([^\"']+)[\"']", text)
            match = re.search(rules["unless"], text)
            strange = [match[0]] if match else [name for name in loads if name not in rules["plugins"]]
            if strange:
                raise Refusal(f"{path} may change what vite answers ({strange[0]})")

    def check_steps(self, config: ImageConfig) -> None:
        keywords = {step.node.keyword for step in self.stage.steps}
        if "ONBUILD" in keywords:
            raise Refusal("the image has triggers for other builds")
        if any("BUILDPLATFORM" in (flag.value or "") for flag in self.stage.node.flags):
            raise Refusal("the stage is made for the platform that builds", "remove --platform=$BUILDPLATFORM")
        if config.stop_signal is not None and str(config.stop_signal).upper() not in _STOPS:
            raise Refusal(f"nginx does not stop at STOPSIGNAL {config.stop_signal}")
        directive = self.program.dockerfile.directive("syntax")
        level = re.search(r":(\d+)\.(\d+)", directive.value) if directive is not None else None
        if level is not None and (whole_number(level[1]), whole_number(level[2])) < _HEREDOC:
            raise Refusal(f"the Dockerfile syntax {level[0][1:]} has no COPY of a text (1.4 has)")

    def owner(self, site: StaticSite, config: ImageConfig) -> str | None:
        """Who owns what is served: nginx's user reads what root read, but no more than another user did. Raises Refusal
        where steps change modes for such a user, or owners for Debian's nginx."""
        if self.root_user(config) and site.server != "nginx":
            return str(table("site_servers")["image"]["user"])
        changes = r"\b(?:chmod|umask|chown|setfacl)\b" if site.server == "nginx" else r"\b(?:chmod|umask|setfacl)\b"
        for step in self.stage.steps:
            node = step.node
            text = node.joined.text + "".join([self.program.text[doc.start : doc.end] for doc in node.heredocs])
            if node.keyword in _READERS and re.search(changes, text):
                raise Refusal(f"line {node.line} sets who may read which files")
        return None if site.server == "nginx" else str(table("site_servers")["image"]["user"])

    def image(self, recipe: StageRecipe, site: StaticSite, config: ImageConfig) -> str:
        """The first image of the recipe of which all is proved that it wants. Raises Refusal."""
        proved = {"user-port"} if site.port >= 1024 or not self.root_user(config) else set()
        if self.health(config):
            proved.add("small-shell")
        for row in recipe.runtimes:
            if set(row.get("when", ())) <= proved:
                return str(row["image"])
        raise Refusal("no image of the recipe fits")

    @staticmethod
    def root_user(config: ImageConfig) -> bool:
        return config.user is None or str(config.user).partition(":")[0] in ("root", "0")

    def health(self, config: ImageConfig) -> bool:
        """Whether the HEALTHCHECK calls what the small image has. Raises Refusal where it calls what no
        image of nginx has."""
        if not config.healthcheck or config.healthcheck == ("NONE",):
            return True
        step = next(s for s in reversed(self.stage.steps) if s.node.keyword == "HEALTHCHECK")
        line = step.node.line
        if isinstance(config.healthcheck, Unknown) or self.program.body(step).program is None:
            raise Refusal(f"the HEALTHCHECK in line {line} is not understood")
        brings = table("split_programs")["brings"]
        small = True
        for invocation in self.program.commands(step).invocations:
            if invocation.program == "curl":
                small = False
            elif invocation.program == "wget":
                allowed = table("site_servers")["image"]["wget"]
                strange = [
                    v for v in invocation.values if v is None or (v.startswith("-") and v != "-" and v not in allowed)
                ]
                if strange:
                    raise Refusal(f"busybox's wget, which nginx's image has, does not know {strange[0]}")
                if any(v is not None and "localhost" in v for v in invocation.values):
                    raise Refusal("busybox's wget asks localhost over IPv6 alone, and nginx is told IPv4")
            elif invocation.program is not None and invocation.program not in (*brings["shell"], *brings["alpine"]):
                raise Refusal(f"nginx's image has no {invocation.program}, which the HEALTHCHECK calls")
        return small

    def settings(self, recipe: StageRecipe, config: ImageConfig) -> StageSettings:
        """The settings of the new stage: without what starts the old server, and its user."""
        moved = settings(self.program, self.stage, recipe.environment, recipe.stays, False)
        nodes = self.program.dockerfile.instructions
        shell = any(s.node.keyword == "HEALTHCHECK" and s.node.form == "shell" for s in self.stage.steps)
        gone = _NOT_OVER if shell else _NOT_OVER | {"SHELL"}

        def kept(indices: tuple[int, ...]) -> tuple[int, ...]:
            return tuple([index for index in indices if nodes[index].keyword not in gone])

        return StageSettings(kept(moved.before), kept(moved.after), moved.moved, moved.left)
