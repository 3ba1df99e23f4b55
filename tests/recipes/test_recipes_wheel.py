"""The recipes that come with dfopt come with its wheel, too."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from dfopt.recipes.load import RecipeLibrary


def test_the_wheel_brings_the_recipes(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    script = (
        "from dfopt.stage_templates.recipe_files import shipped_directory\n"
        "from dfopt.recipes.load import RecipeLibrary\n"
        "library = RecipeLibrary()\n"
        "print(shipped_directory())\n"
        "print(*[library.get(name).name for name in library.names()])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, check=True, text=True, capture_output=True,
        env={"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    directory, names = done.stdout.splitlines()
    assert directory == str(site / "dfopt" / "_recipes")
    assert names.split() == list(RecipeLibrary().names())
