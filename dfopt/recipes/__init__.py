"""Recipes: named sets of passes and options, and stage templates, as TOML files that users write too.

`load` reads and checks files, `schema` says what they may hold, `plan` turns recipes into the optimizer's options for
one file, `templates` renders stage templates. Nothing is imported here on purpose: a run without a recipe pays nothing.
"""
