"""What rewrites once did wrong, what they do to generated files, and every golden case, by dry run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from oracle_client import Oracle

from dfopt.knowledge import load_toml
from dfopt.proof.differences import declarations_of
from dfopt.source import encode
from dfopt.testing import golden
from dfopt.testing.discovery import find
from dryrun import cases
from dryrun.generate import Generator, Idioms
from dryrun.pool import Pool, Task, Trial
from dryrun.trial import Checks

HERE = Path(__file__).parent
GOLDEN = HERE.parents[1] / "golden"
SEEDS = range(120)
GOLDENS = {files.name: files for files in find(GOLDEN)}


def told(trial: Trial) -> str:
    return f"{trial.task.name} ({', '.join(trial.passes)}): {trial.verdict.kind}: {trial.verdict.detail}"


@pytest.mark.parametrize("name", cases.holding())
def test_case(pool: Pool, name: str) -> None:
    (trial,) = pool.run([cases.load(cases.ROOT / name)])
    assert trial.verdict.kind in ("same", "unchanged"), told(trial)


def test_cases_are_well_formed() -> None:
    """All can be read, those that do not hold yet too; what is said to hold is there, and once."""
    names = [cases.load(path).name for path in cases.find()]
    assert set(cases.holding()) <= set(names)
    assert len(cases.holding()) == len(set(cases.holding()))


@pytest.mark.parametrize("group", sorted({files.group for files in GOLDENS.values()}))
def test_goldens(pool: Pool, tmp_path: Path, group: str) -> None:
    """goldens.toml names the cases that no dry run can judge, with a reason each."""
    left_out = load_toml((HERE / "goldens.toml").read_bytes())
    tasks: list[Task] = []
    for name, files in GOLDENS.items():
        if files.group != group or name in left_out:
            continue
        case = golden.load(files)
        result = golden.run(case).result
        if not result.changed:
            continue
        context = tmp_path / str(len(tasks))
        for file in files.context():
            (context / file).parent.mkdir(parents=True, exist_ok=True)
            (context / file).write_bytes(files.read(file) or b"")
        context.mkdir(exist_ok=True)
        passes = tuple(dict.fromkeys(fix.name for fix in result.applied))
        task = Task(name, case.source.to_bytes(), context, checks=cases.EVERYTHING, fill=True, passes=passes)
        tasks.append(replace(task, after=encode(result.output), declared=tuple(declarations_of(result.applied))))
    assert [told(trial) for trial in pool.run(tasks) if trial.verdict.kind != "same"] == []


def test_left_out_goldens_exist() -> None:
    assert set(load_toml((HERE / "goldens.toml").read_bytes())) <= set(GOLDENS)


@pytest.fixture(scope="session")
def generator(oracle: Oracle) -> Generator:
    idioms = Idioms()
    for path in sorted((HERE / "idioms").iterdir()):
        idioms.add(path.read_bytes(), oracle.parse)
    assert all(idioms.bodies.values())
    return Generator(idioms)


@pytest.mark.parametrize(
    ("name", "select", "settings"),
    [
        pytest.param("default", (), {}, id="default"),
        pytest.param("merge-run", ("merge-run",), {"merge-run": {"when": "all", "stages": "all"}}, id="merge-run"),
        pytest.param("cache-mounts", (), {"*": {"package-cache": "mount", "engine": "buildkit"}}, id="cache-mounts"),
    ],
)
def test_generated(
    pool: Pool, generator: Generator, name: str, select: tuple[str, ...], settings: dict[str, dict[str, object]]
) -> None:
    """generated.toml names the seeds whose files a rewrite breaks today."""
    left_out = load_toml((HERE / "generated.toml").read_bytes())[name]
    tasks = [
        Task(f"seed {seed}", generator.file(seed), select=select, settings=settings, checks=Checks(2, True))
        for seed in SEEDS
        if str(seed) not in left_out
    ]
    trials = list(pool.run(tasks))
    assert [told(trial) for trial in trials if trial.verdict.differs] == []
    kinds = [trial.verdict.kind for trial in trials]
    assert kinds.count("same") > len(kinds) // 5, "the sample says nothing"


def test_a_seed_is_one_file(generator: Generator) -> None:
    assert generator.file(7) == generator.file(7)
    assert generator.file(7) != generator.file(8)
