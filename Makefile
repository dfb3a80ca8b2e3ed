# make demo    serve the examples at http://127.0.0.1:8050 (PORT=... for another port; BACKEND=fastapi or BACKEND=quart)
# make test    the suite with the newest releases and Flask on one host, ruff and mypy
# make matrix  the rest of it: FastAPI and Quart, Redis, two hosts, documents, other releases, the built wheel; CI runs both
# make soak    the torture and the property tests at their full size: hours; interrupted, it goes on where it was
# make bench   measure what the README and docs/benchmarks.md say, and write it there (ONLY=plasma for a part; DRAFT=1)
# make docs    the documents as a site, in docs/_build
# make pictures  the pictures in the documents, of the programs that these show
# make changelog VERSION=...  what changes/ says, into docs/changelog.md
# make clean   remove what the others made
#
# All work happens in .venv, made with the newest Python that is found; PYTHON=... names another.

.PHONY: demo test matrix soak bench docs pictures changelog clean

demo:
	@bash .ci/venv.sh demo
	@bash .ci/demo.sh

test:
	@bash .ci/test.sh

matrix:
	@bash .ci/matrix.sh

soak:
	@bash .ci/venv.sh test
	@bash .ci/soak.sh

bench:
	@bash .ci/venv.sh test
	@.venv/bin/python -m tests.benchmarks $(if $(DRAFT),--draft) $(ONLY)

docs:
	@bash .ci/venv.sh docs
	@bash .ci/docs.sh

pictures:
	@bash .ci/venv.sh test
	@bash .ci/programs.sh
	@bash .ci/pictures.sh

changelog:
	@bash .ci/venv.sh docs
	@bash .ci/changelog.sh $(VERSION)

clean:
	rm -rf docs/_build .venv build dist *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
