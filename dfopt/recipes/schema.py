"""The schema of recipe files. `kind` selects the schema; without it, the file is a recipe of passes.

description = "Pins images, and runs the program as a dedicated user."
extends = ["ci"]                          # recipes that this one includes, each with its own preconditions
select = ["pin-digest", "add-user"]       # passes, groups or codes
ignore = ["sudo"]                         # ... less these
unsafe = true                             # also apply fixes that change the image

[when]                                    # preconditions: all must hold, or the recipe leaves the file alone
family = ["debian", "ubuntu"]

[passes.add-user]                         # options of passes
uid = 1000

[options.user]                            # options of the recipe: a switch for passes ...
help = "run as a non-root user"
passes = ["add-user"]

[options.uid]                             # ... or another name for the option of a pass
help = "the user ID"
sets = "add-user.uid"
"""

from __future__ import annotations

from dfopt.passes.base import SHARED
from dfopt.stage_templates.common import COMMON
from dfopt.stage_templates.shape import Field
from dfopt.stage_templates.stage_recipes import KIND, STAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

OPTION: Mapping[str, Field] = {
    "help": Field("string", "one line", required=True),
    "default": Field("any", "of a switch: true or false (true where not given); else a value for the option it sets"),
    "passes": Field("strings", "a switch: the passes that run only where it is on"),
    "sets": Field("string", "PASS.OPTION, or a setting that all passes see (package-cache): what it stands for"),
}

PASSES: Mapping[str, Field] = {
    **COMMON,
    "extends": Field("strings", "recipes that this one holds: names, or paths of files relative to this one"),
    "select": Field("strings", "passes, groups or codes to run"),
    "ignore": Field("strings", "the same, taken away from what this recipe and those that it extends select"),
    "unsafe": Field("bool", "whether fixes that change what the image holds are taken, too"),
    **{option.name: Field("choice", option.help, choices=option.choices) for option in SHARED},
    "passes": Field("free", "PASS.OPTION = value"),
    "options": Field("map", "options of the recipe", fields=OPTION),
}

DEFAULT_KIND = "passes"
# kind -> the keys of its files
KINDS: dict[str, Mapping[str, Field]] = {DEFAULT_KIND: PASSES, KIND: {**COMMON, **STAGE}}
