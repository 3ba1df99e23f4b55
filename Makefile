# The tasks of the project; CONTRIBUTING.md explains them.
.PHONY: help setup fast test ci lint docs new-pass golden wheel image release
PYTHON = .venv/bin/python

help: ## list the tasks
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

setup: ## create .venv with dfopt (editable) and its test tools, or update it
	tests/venv

fast: ## run the fast tests
	tests/run fast

test: ## run all tests; real builds need root and docker.io
	tests/run

ci: ## install what a bare Debian 13 lacks (as root), then lint and run all tests
	.ci/run

lint: setup ## ruff, mypy, the import floors and file sizes, and dfopt on its own Dockerfile
	.venv/bin/ruff check .
	.venv/bin/mypy --strict
	$(PYTHON) -m pytest tests/test_floors.py tests/test_sizes.py
	.venv/bin/dfopt check --isolated --select all --show-refusals Dockerfile

docs: setup ## regenerate docs/passes/ from the docstrings of the passes
	$(PYTHON) -m tests.tools.pages

new-pass: setup ## NAME=shrink-it GROUP=size: create a pass, its golden cases and its page
	$(PYTHON) -m tests.tools.new_pass $(NAME) --group $(GROUP)

golden: setup ## PASS=merge-run: rewrite the expected results of a pass
	$(PYTHON) -m pytest tests/test_golden.py -k '$(PASS)/' --update-golden $(PASS)

wheel: setup ## build the source distribution and the wheel into dist/
	.venv/bin/hatchling build

image: ## build the image `dfopt`
	docker build --tag dfopt .

release: setup ## VERSION=0.2.0: set the version, date the changelog, commit and tag
	$(PYTHON) -m tests.tools.release $(VERSION)
