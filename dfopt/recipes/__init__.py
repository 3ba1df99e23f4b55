"""Recipes: named sets of passes and options, and stage templates, as TOML files that users write too.

`load` reads and checks files, `schema` defines their keys, `plan` turns recipes into the optimizer's options for one
file, `templates` renders stage templates. This module imports nothing on purpose, so a run without recipes pays
nothing.
"""
