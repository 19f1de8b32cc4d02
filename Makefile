# Two commands do everything: `make run` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# Wheels of PyTorch for the processor only; empty takes whatever the common index has (several GB with CUDA).
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
TORCH = torch==2.13.0

.PHONY: help run test lint setup faults bench-cache clean
help:
	@echo "make run    install what is needed, then serve the chat (HOST, PORT; http://127.0.0.1:8000)"
	@echo "make test   install the test tools, then run the whole suite"
	@echo "make faults inject faults with real servers and processes; prints and stores a table (about half an hour)"
	@echo "make lint   style, types and import contracts only"

$(VENV)/.torch:
	@echo "First start: making a virtual environment and fetching the libraries (about two minutes)."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1' || echo "pip stays as it is; installing takes longer."
	@$(BIN)/pip install --quiet --disable-pip-version-check --retries 0 --timeout 5 \
		$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) numpy $(TORCH)
	@$(BIN)/python -c "import sys, torch; sys.exit('PyTorch came with CUDA: delete $(VENV), check TORCH_INDEX and start again') if torch.version.cuda and '$(TORCH_INDEX)' else None"
	@touch $@

$(VENV)/.run: $(VENV)/.torch pyproject.toml
	@$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.test: $(VENV)/.run pyproject.toml
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

setup: $(VENV)/.run
	@$(BIN)/python manage.py prepare

run: setup
	@HF_HUB_OFFLINE=$${HF_HUB_OFFLINE-1} $(BIN)/python manage.py serve $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT))

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(VENV)/.test
	$(BIN)/python -m pytest $(or $(ARGS),--numprocesses 3 --dist loadfile --no-loadscope-reorder)

faults: $(VENV)/.test
	$(BIN)/python -m benchmarks.faults $(ARGS)

# The peer that the decisions are compared with is installed for this run only.
bench-cache: $(VENV)/.test
	@test -n "$(DATA)" || { echo "Name a folder with streams/*_fresh.csv (columns text,label): make bench-cache DATA=DIR"; exit 2; }
	$(BIN)/pip install --quiet --editable '.[bench]'
	PIP_NO_INDEX=1 $(BIN)/python -m benchmarks.cache_quality "$(DATA)" $(ARGS)

clean:
	rm -rf $(VENV)
