"""Which step of a file proves that the base image runs as root: one that ends well for no other user.

A build that ends has run every command that runs for certain, and whose failure ends its step. In front of any USER,
one that only root can run tells who runs it. What does not: a command behind sudo, or whose failure is let pass; what
succeeds where the thing is there already (`mkdir -p`, `touch`); a directory that some images give to their own user
(`/etc/nginx`, `/usr/share/jenkins`).
"""

from __future__ import annotations

from dfopt.analysis.copied_paths import as_file, writers_in
from dfopt.analysis.inferred_base import certain_commands, keeps_user, package_commands
from dfopt.facts import NO_FACTS
from dfopt.ir.liveness import layer_steps
from dfopt.knowledge import table
from dfopt.lazy import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

# Where root alone makes files, in every image: entries of the directories of programs, what is below some of /etc, and
# some files of /etc itself; of others there, as of timezone, a base may have made its own user the owner
_ENTRY = regex(
    r"/(?:usr/)?(?:bin|sbin|lib|lib64)/[^/]+\Z|/etc/(?:environment|fstab|locale\.(?:gen|conf)|profile|bash\.bashrc|bashrc"
    r"|sudoers|shells|sysctl\.conf|nsswitch\.conf|ld\.so\.(?:conf|preload)|gai\.conf|pip\.conf|gitconfig)\Z"
)
_BELOW = regex(r"/etc/(?:apt|apk|dpkg|yum|yum\.repos\.d|profile\.d|sudoers\.d|ld\.so\.conf\.d|cron\.d|init\.d|pam\.d)/")
_DIRECTORIES = frozenset(("/bin", "/sbin", "/lib", "/lib64", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64", "/etc"))
_INTO = frozenset(("cp", "mv", "ln", "install"))  # programs whose target, a directory that is there, gets a file
_SIMULATES = ("-s", "--simulate", "--dry-run", "--just-print", "--no-act", "--print-uris")  # apt-get and apk: for all
_NOT_OVER = ("-n", "--no-clobber", "-u", "--update", "-d", "--directory")


def root_step(program: Program, stage: Stage) -> Step | None:
    """The step of the stage's chain that shows that its base image runs as root; None where none does."""
    return program.once(("root step", stage.index), _root_step, program, stage)


def _root_step(program: Program, stage: Stage) -> Step | None:
    for step in layer_steps(program, stage):
        if step.node.keyword == "USER":
            return None
        if step.node.keyword == "RUN" and _needs_root(program, step):
            return step
    return None


def _needs_root(program: Program, step: Step) -> bool:
    for invocation, _ in package_commands(program, step):
        if not invocation.wrappers and not invocation.has_option(*_SIMULATES):
            return True
    only_root = table("users")["programs"]["only-root"]
    everybody = table("users")["everybody"]
    certain = [invocation for invocation in certain_commands(program, step) if keeps_user(invocation)]
    for invocation in certain:
        name = invocation.program or ""
        if name in only_root and not set(everybody.get(name, ())) & set(invocation.values):
            return True
    if step.node.form == "json" or _changes_user(program, step):
        return False
    places = {invocation.node.start: invocation for invocation in certain}
    for effect in program.effects(step):
        by = places.get(effect.at)
        if by is None or effect.within:
            continue
        if effect.kind == "creates" and _makes_as_root(by, effect.path):
            return True
        changes = effect.kind == "changes" and by.program in ("chmod", "chown")
        if changes and _copied_as_root(program, step, effect.path):
            return True
    return False


def _makes_as_root(invocation: Invocation, path: str) -> bool:
    """Whether a command that makes `path` succeeds as root alone."""
    name = invocation.program
    if name in ("mkdir", "touch", "tee", "dd"):  # succeed where it is there; the last two stand behind sudo as often
        return False
    if name in _INTO and invocation.has_option(*_NOT_OVER):
        return False
    if path in _DIRECTORIES:
        return name in _INTO
    if name in ("ln", "mv") and path.rpartition("/")[0] in _DIRECTORIES:  # these need the directory, not the file
        return True
    return _ENTRY.match(path) is not None or _BELOW.match(path) is not None


def _copied_as_root(program: Program, step: Step, path: str) -> bool:
    """Whether a COPY of the build context put a file at `path`, which root owns then, and nothing since may have given
    it to another user."""
    stage = program.stages[step.stage]
    writers = writers_in(program, stage, NO_FACTS)
    if not any(writers.of(path, step)):
        return False
    copy = writers.of(path, step)[-1]
    if copy.node.flag("from") is not None or copy.node.flag("chown") is not None:
        return False
    if not as_file(program, copy, NO_FACTS, path):
        return False
    return not any(_may_give(program, other) for other in stage.steps if copy.index < other.index < step.index)


def _may_give(program: Program, step: Step) -> bool:
    """Whether a step may run commands as root where the image's own user is another one."""
    if step.node.keyword != "RUN":
        return step.effective is not step.node
    return _changes_user(program, step) or any(effect.kind == "opaque" for effect in program.effects(step))


def _changes_user(program: Program, step: Step) -> bool:
    return any(not keeps_user(invocation) for invocation in program.run_commands(step).invocations)
