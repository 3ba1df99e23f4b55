"""Which packages the run needs: for the programs that it calls, for its language, and for the libraries of what is
copied."""

from __future__ import annotations

import fnmatch

from dfopt.analysis.package_managers import package_name
from dfopt.knowledge import table
from dfopt.passes.multi_stage.packages import language_package, partition, providers
from dfopt.passes.multi_stage.runtime import Runtime, family_of
from dfopt.passes.multi_stage.unblock import BUILD
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dfopt.passes.multi_stage.packages import RunPackages
    from dfopt.passes.multi_stage.start_programs import SourceNeeds
    from dfopt.passes.multi_stage.written_paths import WrittenPath


class Demand(Runtime):
    """Names the packages of the new stage."""

    def demand(self, need: SourceNeeds, built: Sequence[WrittenPath]) -> tuple[dict[str, None], RunPackages]:
        """Names of packages to install, and how those of the build are divided. Raises Refusal."""
        flow, base = self.flow, self.base
        family = family_of(base.release)
        foreign = self.foreign_programs(need, built)
        brings = table("split_programs")["brings"]
        known = {*brings["shell"], *brings["alpine" if family == "apk" else "debian"]}
        read = not flow.fetched and not any(entry.kind in ("file", "stage") for entry in flow.paths)
        packages = partition(flow, base.release, foreign, self.recipe.language, read, base.has)
        names = dict.fromkeys(packages.names)
        installed = {package_name(package.name) for package in flow.packages}
        self.add_providers({name: place for name, place in foreign.items() if name not in known}, names, installed)
        self.add_language(names, installed)
        if flow.fetched and self.recipe.keeps == "programs":
            unread = table("split_packages")["unread"]
            names.update(dict.fromkeys([p for name in installed for p in unread.get(name, {}).get(family, ())]))
        return names, packages

    def same_programs(self) -> bool:
        """Whether the image for the run, with the packages that stay, has every program that the builder's has but what
        only builds call: so that what sources that nobody has read may start is there."""
        return not self.base.has & {"cc", "headers", "local", "go", "rust", "java", "dotnet", "python", "node", "php"}

    def foreign_programs(self, need: SourceNeeds, built: Iterable[WrittenPath]) -> Mapping[str, str]:
        """Programs that the run calls and that the steps do not make: base name -> where it is called ("": by CMD)."""
        own = {entry.path.rpartition("/")[2] for entry in (*built, *self.flow.paths)}
        asked = {**dict.fromkeys(self.start.names, ""), **need.programs}
        return {name: place for name, place in asked.items() if name not in own and not self.of_language(name)}

    def of_language(self, name: str) -> bool:
        """Whether a program is one that the recipe's language brings: python3, gunicorn."""
        return bool(self.recipe.language) and any(fnmatch.fnmatchcase(name, pattern) for pattern in self.recipe.starts)

    def add_providers(self, missing: Mapping[str, str], names: dict[str, None], installed: set[str]) -> None:
        """Adds the packages of the programs `missing` to `names`. Raises Refusal for one whose package is not known."""
        providing = providers(family_of(self.base.release))
        for name, place in missing.items():
            package = providing.get(name, "")
            if name in installed or package in installed or name in names or package in names:
                continue
            if package and self.base.has & {"cc", "headers", "certs"}:  # the builder's base image brought it
                names[package] = None
                continue
            if self.console_script(name):
                continue
            package = self.package_of(name)
            if package:
                names[package] = None
                continue
            where = f" ({place})" if place else ""
            raise Refusal(f"where {name}, which the program calls{where}, comes from is not known", BUILD)

    def console_script(self, name: str) -> bool:
        """Whether a program comes with a language's packages: gunicorn of pip, serve of npm."""
        known = (
            any(fnmatch.fnmatchcase(name, pattern) for pattern in self.recipe.starts) or name in self.outputs.console
        )
        return self.recipe.keeps == "all" and known

    def add_language(self, names: dict[str, None], installed: set[str]) -> None:
        """Adds the package of the recipe's language, where the image for the run lacks it. Raises Refusal."""
        language = self.recipe.language
        if not language or language in self.base.run_has:
            return
        packages = language_package(language, family_of(self.base.release), installed, names)
        if packages is None:
            raise Refusal(f"where the image for the run gets {language} from is not known", BUILD)
        names.update(dict.fromkeys(packages))
