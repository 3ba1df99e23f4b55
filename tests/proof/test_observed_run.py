"""What a run needs, by the files of the image that a build made: small images, with a program of this very machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from image.builders import TarEntry, docker_archive, file, folder, layer, link, require, whiteout

from dfopt.image import open_archive
from dfopt.image.artifacts import ImageFiles, read_elf
from dfopt.proof.observed.installed_packages import installed_packages
from dfopt.proof.observed.missing import add_missing
from dfopt.proof.observed.run_needs import Additions, BuiltFiles, RunNeeds
from dfopt.refusal import Refusal
from dfopt.stage_templates.stage_recipes import stage_recipes

PROGRAM = Path(require("env", "part of every Debian")).read_bytes()
ELF = read_elf(PROGRAM)
assert ELF is not None


def status(*names: str, **depends: str) -> str:
    return "\n".join(
        f"Package: {name}\nStatus: install ok installed\nDepends: {depends.get(name.replace('-', '_'), '')}\n"
        for name in names
    )


def owned(package: str, *paths: str) -> TarEntry:
    return file(f"var/lib/dpkg/info/{package}.list", "".join(f"/{path}\n" for path in paths))


BASE = layer(
    folder("usr"), folder("usr/bin"), folder("usr/lib"), folder("etc/alternatives"), folder("var/lib"),
    folder("usr/local/bin"),
    link("lib64", "usr/lib"), link("bin", "usr/bin"), file("usr/lib/libc.so.6", "c"),
    file("usr/bin/sh", PROGRAM, 0o755), file(ELF.interpreter.replace("/lib64", "usr/lib").lstrip("/"), "ld"),
    owned("libc6", "usr/lib/libc.so.6"), owned("dash", "usr/bin/sh"),
    file("var/lib/dpkg/status", status("libc6", "dash")),
)  # fmt: skip
INSTALLED = layer(
    file("usr/bin/gcc", PROGRAM, 0o755), file("usr/bin/git", PROGRAM, 0o755), file("usr/bin/convert", PROGRAM, 0o755),
    file("usr/lib/libmagic.so.1", "m"), file("etc/magic.conf", "m"),
    owned("gcc", "usr/bin/gcc"), owned("git", "usr/bin/git"), owned("imagemagick", "usr/bin/convert"),
    owned("libmagic1", "usr/lib/libmagic.so.1"),
    file(
        "var/lib/dpkg/status",
        status("libc6", "dash", "gcc", "git", "imagemagick", "libmagic1", imagemagick="libmagic1 (>= 2)"),
    ),
    file("var/lib/apt/extended_states", "Package: libmagic1\nAuto-Installed: 1\n"),
)  # fmt: skip


def needs(tmp_path: Path, *steps: bytes, cmd: list[str], text: str = "", opened: frozenset[str] | None = None,
          bare: bool = False) -> RunNeeds:  # fmt: skip
    settings = {"Cmd": cmd, "WorkingDir": "/app"}
    with open_archive(docker_archive(tmp_path / "run.tar", [BASE])) as archive:
        run = ImageFiles.nothing() if bare else ImageFiles(archive.image())
    with open_archive(docker_archive(tmp_path / "image.tar", [BASE, INSTALLED, *steps])) as archive:
        image = archive.image()
        files = ImageFiles(image)
        return RunNeeds(BuiltFiles(files, run, files.below(1), settings, text, opened), image, stage_recipes())


APP = layer(
    folder("app"), file("app/server", PROGRAM, 0o755), file("app/main.c", "int main;"), file("app/page.html", "hello"),
    file("app/.git/config", "x"),
)  # fmt: skip


def test_a_compiled_program_goes_without_its_sources_and_its_compiler(tmp_path: Path) -> None:
    asked = needs(tmp_path, APP, cmd=["/app/server"])
    found = asked.find(Additions())
    assert (found.files, found.trees) == (("/app/page.html", "/app/server"), ())
    assert found.packages == ("imagemagick",)  # asked for by name, and no tool of builds; brings libmagic1
    assert asked.started()[0][0] == "/app/server"


def test_an_interpreted_program_keeps_its_directory(tmp_path: Path) -> None:
    app = layer(folder("app"), file("app/main.sh", "#!/bin/sh\nset -e\ngit log\n", 0o755), file("app/notes.c", "x"))
    found = needs(tmp_path, app, cmd=["./main.sh"]).find(Additions())
    assert found.trees == (("/app", ""),)
    assert found.packages == ("git", "imagemagick")  # the script calls git


def test_sources_say_which_programs_are_called(tmp_path: Path) -> None:
    app = layer(file("app/server", PROGRAM, 0o755), file("src/main.go", 'exec.Command("gcc", "-v")\n'))
    found = needs(tmp_path, app, cmd=["/app/server"]).find(Additions())
    assert found.packages == ("gcc", "imagemagick")
    assert not any(path.startswith("/src") for path in (*found.files, *dict(found.trees)))


def test_what_the_smoke_test_opened_stays(tmp_path: Path) -> None:
    opened = frozenset(("/usr/bin/gcc", "/app/main.c"))
    found = needs(tmp_path, APP, cmd=["/app/server"], opened=opened).find(Additions())
    assert "gcc" in found.packages
    assert "/app/main.c" in found.files


def test_a_source_tree_stays_where_something_names_it(tmp_path: Path) -> None:
    tree = layer(file("build/Makefile", "all:"), file("build/data.txt", "x"))
    without = needs(tmp_path, APP, tree, cmd=["/app/server"]).find(Additions())
    assert "/build" not in dict(without.trees)
    naming = layer(file("app/settings.conf", "data = /build\n"))
    found = needs(tmp_path, APP, tree, naming, cmd=["/app/server"]).find(Additions())
    assert "/build/data.txt" in found.files


def test_owners_modes_links_and_empty_directories(tmp_path: Path) -> None:
    steps = layer(
        folder("data", mode=0o700, uid=5, gid=5), folder("srv/app", mode=0o755, uid=5, gid=5),
        file("srv/app/run", PROGRAM, 0o755, uid=5, gid=5), link("usr/local/bin/run", "/srv/app/run"),
    )  # fmt: skip
    found = needs(tmp_path, steps, cmd=["run"], text="RUN mkdir -m 700 /data").find(Additions())
    assert found.trees == (("/srv/app", "5:5"),)
    assert found.links == (("/usr/local/bin/run", "/srv/app/run"),)
    assert found.directories == (("/data", 0o700, "5:5"),)


def test_what_named_packages_recommend_is_named(tmp_path: Path) -> None:
    text = status("libc6", "gcc", "imagemagick", "ghostscript").replace(
        "Package: imagemagick\n", "Package: imagemagick\nRecommends: gcc, gone | ghostscript (>= 9)\n"
    )
    more = layer(
        file("usr/bin/gs", PROGRAM, 0o755), owned("ghostscript", "usr/bin/gs"), file("var/lib/dpkg/status", text),
        file("var/lib/apt/extended_states", "Package: ghostscript\nAuto-Installed: 1\n"),
    )  # fmt: skip
    assert needs(tmp_path, APP, more, cmd=["/app/server"]).find(Additions()).packages == ("ghostscript", "imagemagick")


def test_a_repository_that_the_program_reads(tmp_path: Path) -> None:
    calls = layer(file("app/main.go", 'exec.Command("git", "log")\n'))
    found = needs(tmp_path, APP, calls, cmd=["/app/server"]).find(Additions())
    assert "git" in found.packages
    assert "/app/.git" in dict(found.trees)


def test_what_a_step_took_away(tmp_path: Path) -> None:
    text = "RUN rm -f /etc/magic.conf /etc/other /srv/x\n"
    gone = needs(tmp_path, APP, layer(whiteout("etc/magic.conf")), cmd=["/app/server"], text=text).find(Additions())
    assert gone.removed == ("/etc/magic.conf", "/etc/other")
    assert needs(tmp_path, APP, cmd=["/app/server"], text=text).find(Additions()).removed == ("/etc/other",)


def test_an_alternative_that_a_step_chose(tmp_path: Path) -> None:
    chosen = layer(link("etc/alternatives/lua", "/usr/bin/lua5.4"))
    found = needs(tmp_path, APP, chosen, cmd=["/app/server"]).find(Additions())
    assert found.links == (("/etc/alternatives/lua", "/usr/bin/lua5.4"),)


def test_an_empty_directory_beside_what_is_left_out(tmp_path: Path) -> None:
    empty = layer(folder("app/log"), folder("app/.git/refs"))
    found = needs(tmp_path, APP, empty, cmd=["/app/server"]).find(Additions())
    assert found.directories == (("/app/log", 0o755, "0:0"),)
    tree = layer(file("app/run.sh", "#!/bin/sh\n", 0o755), folder("app/log"))
    whole = needs(tmp_path, tree, cmd=["/app/run.sh"]).find(Additions())
    assert (whole.trees, whole.directories) == ((("/app", ""),), ())


def test_a_changed_file_of_a_package_is_the_steps_own(tmp_path: Path) -> None:
    changed = layer(file("usr/lib/libmagic.so.1", "patched"), file("etc/mine.conf", "x"))
    found = needs(tmp_path, APP, changed, cmd=["/app/server"]).find(Additions())
    assert {"/usr/lib/libmagic.so.1", "/etc/mine.conf"} <= set(found.files)
    assert found.libraries


def test_libraries_of_a_directory_that_is_copied_whole_are_made_known(tmp_path: Path) -> None:
    own = layer(file("opt/own/lib/libown.so.2", "x"), file("etc/ld.so.conf.d/own.conf", "/opt/own/lib\n"))
    found = needs(tmp_path, APP, own, cmd=["/app/server"]).find(Additions())
    assert (dict(found.trees), found.files[-1]) == ({"/opt/own": ""}, "/etc/ld.so.conf.d/own.conf")
    assert found.libraries
    assert not needs(tmp_path, APP, cmd=["/app/server"]).find(Additions()).libraries


def test_an_empty_image_gets_the_files_of_packages(tmp_path: Path) -> None:
    found = needs(tmp_path, APP, cmd=["/app/server"], bare=True).find(Additions())
    assert found.packages == ()
    assert {ELF.interpreter, "/usr/lib/libc.so.6", "/usr/bin/convert", "/usr/lib/libmagic.so.1"} <= set(found.files)
    assert not {"/usr/bin/gcc", "/usr/bin/git", "/usr/bin/sh"} & set(found.files)


def test_directories_of_an_empty_image_keep_modes_and_owners(tmp_path: Path) -> None:
    steps = layer(
        folder("tmp", mode=0o1777), folder("app", mode=0o755, uid=5, gid=5), folder("app/spool", mode=0o777),
        folder("app/spool/deep", mode=0o755), file("app/spool/deep/seed", "x", uid=5, gid=6),
        file("app/run", PROGRAM, 0o755, uid=5, gid=5), file("app/main.c", "int main;"), folder("app/plain"),
    )  # fmt: skip
    asked = needs(tmp_path, steps, layer(file("app/conf", "path=/tmp")), cmd=["/app/run"], bare=True)
    found = asked.find(Additions())
    assert {"/app/run", "/app/conf"} <= set(found.files)
    assert not any(owner for _, owner in found.trees)  # a COPY keeps those of files
    assert found.directories[:2] == (("/app", 0o755, "5:5"), ("/app/plain", 0o755, "0:0"))
    assert ("/tmp", 0o1777, "0:0") in found.directories
    found = needs(tmp_path, steps, layer(link("app/log", "/dev/stdout")), cmd=["/app/run"], bare=True).find(Additions())
    assert found.links == (("/app/log", "/dev/stdout"),)
    taken = layer(folder("rootfs"), file("rootfs/own", "x"))
    with pytest.raises(Refusal, match="/rootfs of its own"):
        needs(tmp_path, steps, taken, cmd=["/app/run"], bare=True).find(Additions())


def test_what_starts_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="starts nothing"):
        needs(tmp_path, APP, cmd=[]).find(Additions())
    with pytest.raises(Refusal, match="nowhere, is not in it"):
        needs(tmp_path, APP, cmd=["nowhere"]).find(Additions())


@pytest.mark.parametrize(
    ("output", "paths", "packages"),
    [
        ("sh: 1: git: not found", set(), {"git"}),
        ('exec: "gcc": executable file not found in $PATH', set(), {"gcc"}),
        (
            "app: error while loading shared libraries: libmagic.so.1: cannot open shared object file",
            set(),
            {"libmagic1"},
        ),
        ("open /app/main.c: no such file or directory", {"/app/main.c"}, set()),
        ("open main.c: no such file or directory", {"/app/main.c"}, set()),
        ("ModuleNotFoundError: No module named 'left.out'", {"/opt/py/left/out.py"}, set()),
        ("all is well at /usr/share/nothing", set(), set()),
    ],
)
def test_failures_name_what_is_missing(tmp_path: Path, output: str, paths: set[str], packages: set[str]) -> None:
    asked = needs(tmp_path, APP, layer(file("opt/py/left/out.py", "x")), cmd=["/app/server"])
    added = Additions()
    assert add_missing(asked, output, added) == bool(paths or packages)
    assert (added.paths, added.packages) == (paths, packages)
    assert not add_missing(asked, output, added)  # nothing new
    found = asked.find(added)
    assert packages <= asked.packages.closure(found.packages)
    assert all(
        any(path == place or path.startswith(f"{place}/") for place in (*found.files, *dict(found.trees)))
        for path in paths
    )


def test_links_of_a_directory_that_is_copied_whole(tmp_path: Path) -> None:
    modules = layer(
        file("usr/lib/libplug.so.1.2", PROGRAM), link("usr/lib/libplug.so.1", "libplug.so.1.2"),
        folder("usr/lib/plug"), link("usr/lib/plug/core.so", "../libplug.so.1.2"), file("usr/lib/plug/plain", "x"),
        link("usr/lib/plug/data", "/usr/share/plug/data"), file("usr/share/plug/data/de", "x"),
        *(file(f"usr/share/keys/{n}", "x") for n in range(9)),
        *(link(f"usr/lib/plug/{n}", f"/usr/share/keys/{n}") for n in range(9)),
        owned("plug", "usr/lib/libplug.so.1.2", "usr/lib/libplug.so.1", "usr/lib/plug/core.so", "usr/lib/plug/plain"),
        file("var/lib/dpkg/status", status("libc6", "dash", "plug")),
    )  # fmt: skip
    found = needs(tmp_path, modules, APP, cmd=["/app/server"], bare=True).find(Additions())
    # where core.so stays a link
    assert {"/usr/lib/plug", "/usr/share/plug", "/usr/share/keys"} <= dict(found.trees).keys()
    assert "/usr/lib/libplug.so.1.2" in found.files


def test_links_to_a_directory_stay_and_it_is_copied_once(tmp_path: Path) -> None:
    home = "usr/lib/jvm/java-21"
    java = layer(
        file(f"{home}/bin/java", PROGRAM, 0o755), file(f"{home}/lib/modules", "m" * 900),
        file(f"{home}/jmods/java.base.jmod", "j" * 900), link("opt/java", f"/{home}"),
        link("usr/lib/jvm/default", "java-21"), link(f"{home}/lib/src.zip", "nowhere"),
    )  # fmt: skip
    found = needs(tmp_path, java, cmd=["/opt/java/bin/java"], bare=True).find(Additions())
    assert [path for path in (*found.files, *dict(found.trees)) if "java" in path] == [f"/{home}/bin", f"/{home}/lib"]
    assert {("/opt/java", f"/{home}"), ("/usr/lib/jvm/default", "java-21")} <= {*found.links}


def test_many_modules_of_a_language_are_one_copy(tmp_path: Path) -> None:
    place = "usr/lib/python3/dist-packages"
    modules = layer(
        *(file(f"{place}/{n}/__init__.py", "x") for n in range(9)), file(f"{place}/0/.git/pack", "x" * 9000000)
    )
    text = f"RUN make-all /{place}"
    found = needs(tmp_path, modules, APP, cmd=["/app/server"], text=text, bare=True).find(Additions())
    assert f"/{place}" in dict(found.trees)


def plans_of_many_modules(directory: Path) -> str:
    """What is found of an image in which a directory that is copied whole lies in another."""
    modules = layer(
        *(file(f"usr/local/lib/{n}.so", "x") for n in range(6)), *(file(f"opt/{n}/x", "x") for n in range(6)),
        *(file(f"usr/local/lib/gems/{n}.rb", "x") for n in range(7)),
        file("usr/local/lib/gems/.git/pack", "x" * 9000000),
        *(file(f"usr/share/{place}/{n}", "x") for place in ("keys", "words") for n in range(9)),
        *(link(f"opt/own/{place}/{n}", f"/usr/share/{place}/{n}") for place in ("keys", "words") for n in range(9)),
    )  # fmt: skip
    asked = needs(directory, modules, APP, cmd=["/app/server"], text="RUN make-all /opt", bare=True)
    return repr(asked.find(Additions()))


def test_the_order_of_sets_decides_nothing(tmp_path: Path) -> None:
    program = "import sys; from proof.test_observed_run import *; print(plans_of_many_modules(Path(sys.argv[1])))"
    plans = set()
    for seed in map(str, range(6)):
        (tmp_path / seed).mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        words = [sys.executable, "-c", program, str(tmp_path / seed)]
        plans.add(subprocess.run(words, check=True, capture_output=True, text=True, env=environment).stdout)
    assert len(plans) == 1
    assert "('/usr/local/lib/gems', '')" in plans.pop()


def test_an_empty_image_of_many_directories_takes_few_copies(tmp_path: Path) -> None:
    parts = layer(
        *(file(f"srv/app{app}/{n}/x", "x") for app in range(5) for n in range(6)),
        file("srv/app0/.git/x", "x" * 5000000),
        *(file(f"srv/app{app}/Dockerfile", "x") for app in range(5)), file("etc/nginx/a.conf", "x"),
        file("etc/nginx/on/b.conf", "x"), link("srv/app1/5/here", "../0/x"),
    )  # fmt: skip
    found = needs(tmp_path, parts, APP, cmd=["/app/server"], bare=True).find(Additions())
    trees = dict(found.trees)
    assert {"/etc/nginx", "/srv/app1", "/srv/app2"} <= set(trees)
    assert "/srv/app0" not in trees  # of which much would be copied in vain
    assert len({*trees, *(path.rpartition("/")[0] for path in found.files)}) <= 20
    assert not any(path.startswith(("/srv/app1/", "/etc/nginx/")) for path in (*trees, *found.files))


def test_an_empty_image_gets_the_directories_of_state(tmp_path: Path) -> None:
    more = layer(
        folder("run"), link("var/run", "/run"),
        folder("var/lib/magic", mode=0o700, uid=5, gid=5), folder("var/log/other"),
        owned("imagemagick", "usr/bin/convert", "var", "var/lib", "var/lib/magic"), owned("git", "var/log/other"),
    )  # fmt: skip
    app = layer(file("app/run.sh", "#!/bin/sh\nconvert\n", 0o755))
    found = needs(tmp_path, more, app, cmd=["/app/run.sh"], bare=True).find(Additions())
    assert found.directories == (("/run", 0o755, "0:0"), ("/var/lib/magic", 0o700, "5:5"))
    assert found.links == (("/var/run", "/run"),)
    assert needs(tmp_path, more, app, cmd=["/app/run.sh"]).find(Additions()).directories == ()


def test_a_library_that_is_the_dynamic_linker_too(tmp_path: Path) -> None:
    own = ELF.interpreter.replace("/lib64", "usr/lib").lstrip("/")
    musl = layer(link("usr/lib/libc.so.6", f"/{own}"), file("app/server", PROGRAM, 0o755), file(own, PROGRAM, 0o755))
    asked = needs(tmp_path, musl, layer(link("lib64", "usr/lib")), cmd=["/app/server"], bare=True)
    found = asked.find(Additions())
    assert {ELF.interpreter, "/usr/lib/libc.so.6"} <= {*found.files, *dict(found.links)}


def test_an_empty_image_has_a_large_file_once(tmp_path: Path) -> None:
    large = layer(
        file("usr/bin/tool1.2", PROGRAM + bytes(200_000), 0o755), link("usr/bin/tool1", "tool1.2"),
        link("usr/bin/tool", "tool1"), owned("tool", "usr/bin/tool", "usr/bin/tool1", "usr/bin/tool1.2"),
        file("var/lib/dpkg/status", status("libc6", "dash", "tool")),
    )  # fmt: skip
    found = needs(tmp_path, large, APP, cmd=["/app/server"], bare=True).find(Additions())
    assert "/usr/bin/tool1.2" in found.files
    assert found.links == (("/usr/bin/tool", "/usr/bin/tool1.2"), ("/usr/bin/tool1", "/usr/bin/tool1.2"))


def test_families_that_are_loaded_by_name(tmp_path: Path) -> None:
    names = ("usr/lib/locale/C.utf8/LC_CTYPE", "usr/share/zoneinfo/Asia/Tokyo", "usr/share/terminfo/x/xterm")
    more = layer(
        *(file(name, "x") for name in names), owned("libc-bin", *names), file("etc/services", "ssh 22/tcp"),
        file("var/lib/dpkg/status", status("libc6", "dash", "libc-bin")),
    )  # fmt: skip
    plain = needs(tmp_path, more, APP, cmd=["/app/server"], bare=True).find(Additions())
    assert "/etc/services" in plain.files
    assert not {f"/{name}" for name in names} & {*plain.files, *dict(plain.trees)}
    made = layer(file("usr/lib/locale/locale-archive", "x"))
    found = needs(tmp_path, more, APP, made, cmd=["/app/server"], bare=True).find(Additions())
    assert "/usr/lib/locale" in dict(found.trees)


def test_libraries_of_modules_that_no_test_imports(tmp_path: Path) -> None:
    python = layer(
        file("usr/local/lib/python3.12/os.py", "x"), file("usr/lib/libc.so.6", "c"),
        file("usr/local/lib/python3.12/lib-dynload/_lazy.so", PROGRAM),
    )  # fmt: skip
    opened = frozenset(("/usr/local/lib/python3.12/os.py",))
    with open_archive(
        docker_archive(tmp_path / "image.tar", [BASE, python, layer(file("app/tool", "x", 0o755))])
    ) as archive:
        image = archive.image()
        all_files = ImageFiles(image)
        settings = {"Cmd": ["/app/tool"], "WorkingDir": "/app"}
        built = BuiltFiles(all_files, ImageFiles.nothing(), all_files.below(2), settings, "", opened)
        found = RunNeeds(built, image, stage_recipes()).find(Additions())
    assert "/usr/local/lib/python3.12" in dict(found.trees)
    assert "/usr/lib/libc.so.6" in found.files


def test_logs_that_go_to_the_output(tmp_path: Path) -> None:
    logs = (link("var/log/web/access.log", "/dev/stdout"), link("var/log/web/error.log", "/proc/self/fd/2"))
    more = layer(*logs, file("var/log/web/old", "x"))
    rows = (("/var/log/web/access.log", "/dev/stdout"), ("/var/log/web/error.log", "/proc/self/fd/2"))
    for bare in (True, False):
        directory = tmp_path / str(bare)
        directory.mkdir()
        found = needs(directory, more, APP, cmd=["/app/server"], bare=bare).find(Additions())
        assert found.links == rows
        assert not any("/old" in path for path in found.files)


def test_a_compiler_that_the_program_calls_comes_with_its_headers(tmp_path: Path) -> None:
    more = layer(
        file("usr/include/stdio.h", "x"), file("usr/libexec/cc1", PROGRAM), file("usr/share/man/man1/gcc.1", "x"),
        owned("libc6-dev", "usr/include/stdio.h"), owned("gcc", "usr/bin/gcc", "usr/libexec/cc1"),
        owned("other-dev", "usr/include/other.h"), file("usr/include/other.h", "x"),
        file("var/lib/dpkg/status", status("libc6", "dash", "gcc", "libc6-dev", "other-dev", gcc="libc6-dev")),
    )  # fmt: skip
    calls = layer(file("app/build.sh", "#!/bin/sh\ngcc -v\n", 0o755))
    found = needs(tmp_path, APP, more, calls, cmd=["/app/build.sh"], bare=True).find(Additions())
    assert {"/usr/bin/gcc", "/usr/libexec/cc1", "/usr/include/stdio.h"} <= set(found.files)
    without = needs(tmp_path, APP, more, cmd=["/app/server"], bare=True)
    assert not {"/usr/bin/gcc", "/usr/libexec/cc1", "/usr/include/stdio.h"} & set(without.find(Additions()).files)
    added = Additions()
    assert add_missing(without, "gcc: fatal error: cannot execute ‘cc1’: posix_spawnp: No such file", added)
    assert "/usr/libexec/cc1" in without.find(added).files


def test_directories_that_a_failure_names(tmp_path: Path) -> None:
    state = layer(folder("var/lib/web", mode=0o700, uid=5, gid=5), file("var/lib/web/old", "x"))
    asked = needs(tmp_path, APP, state, cmd=["/app/server"], bare=True)
    added = Additions()
    assert add_missing(asked, 'mkdir() "/var/lib/web/body" failed (2: No such file or directory)', added)
    assert asked.find(added).directories == (("/var/lib/web", 0o700, "5:5"),)
    assert not add_missing(asked, "/var/lib/web/body is read-only, /no/such/thing", added)
    whole = needs(tmp_path, APP, cmd=["/app/server"])
    assert not add_missing(whole, "/var/lib/dpkg/x is not there", added)  # which the image for the run has


def test_packages_of_apk(tmp_path: Path) -> None:
    database = (
        "P:musl\nV:1\np:so:libc.musl-x86_64.so.1=1\nF:lib\nR:ld-musl-x86_64.so.1\n\n"
        "P:curl\nV:8\nD:so:libc.musl-x86_64.so.1 ca-certificates>=1 !old\nF:usr/bin\nR:curl\n\nP:ca-certificates\nV:1\n"
    )
    entries = layer(file("lib/apk/db/installed", database), file("etc/apk/world", "curl>7\nmusl\n"))
    with open_archive(docker_archive(tmp_path / "image.tar", [entries])) as archive:
        found = installed_packages(ImageFiles(archive.image()))
    assert found.family == "apk"
    assert found.depends["curl"] == ("musl", "ca-certificates")
    assert found.named == {"curl", "musl"}
    assert found.least(["ca-certificates", "curl", "musl"]) == ["curl"]
