# Two commands matter: `make demo` and `make test`. Both set up what they need.
PORT ?= 8000
SEED ?= 1
SPEED ?= 20
PY := .venv/bin/python

.PHONY: demo test lint types fast postgres bench lock messages screenshots clean

demo:
	@sh deploy/setup.sh requirements.lock
	@exec $(PY) -m apps.demo.run --port $(PORT) --seed $(SEED) --speed $(SPEED)

test:
	@sh deploy/setup.sh requirements-dev.lock
	@$(MAKE) --no-print-directory lint types fast postgres

lint:
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	.venv/bin/lint-imports --no-cache

types:
	DEMO=1 $(PY) -m mypy

# Two at a time, but what kills processes or measures time in a browser has the machine to itself.
fast:
	$(PY) -m pytest -q -n 2 --dist loadfile -m "not kills and not browser"
	$(PY) -m pytest -q -n 2 --dist loadfile -m "browser and not alone" tests/browser
	$(PY) -m pytest -q -m "kills or alone"

postgres:
	TEST_DATABASE=postgres $(PY) -m pytest -q -n 2 --dist loadfile -m "not browser and not planner and not kills" --ignore=tests/planner
	TEST_DATABASE=postgres $(PY) -m pytest -q -m "kills and not browser and not planner"

# make bench VRPTW="folder/*.txt" also measures day plans on published problems (Solomon, Homberger, VRPLIB).
bench:
	@sh deploy/setup.sh requirements-dev.lock
	@mkdir -p var && rm -f var/bench.sqlite3*
	DATABASE_URL=sqlite:///$(CURDIR)/var/bench.sqlite3 $(PY) -m benchmarks.outbox
	$(PY) -m benchmarks.replan --stops 100,300 --changes 20 --references 2 --reference-seconds 12 --van-cases 4 --json
	@[ -z "$(VRPTW)" ] || $(PY) -m benchmarks.static --seconds 5 --files 4 --json $(VRPTW)
	$(PY) -m benchmarks.pages --json

lock:
	.venv/bin/uv pip compile --python-version 3.12 --universal --generate-hashes --no-header --no-annotate -q pyproject.toml --extra demo --extra redis -o requirements.lock
	.venv/bin/uv pip compile --python-version 3.12 --universal --generate-hashes --no-header --no-annotate -q pyproject.toml --extra demo --extra redis --extra pyvrp --extra dev -c requirements.lock -o requirements-dev.lock

# Takes up new sentences and compiles; needs GNU gettext. tests/test_languages.py says what is still to be translated.
messages:
	$(PY) manage.py makemessages -l ar -l de -l fr -l pl -l pt --add-location file --no-wrap --no-obsolete -i var -i .venv -i benchmarks -i tests -i deploy -i docs
	$(PY) manage.py compilemessages -l ar -l de -l fr -l pl -l pt -i .venv -i var

screenshots:
	@sh deploy/setup.sh requirements-dev.lock
	$(PY) docs/take_screenshots.py

clean:
	rm -rf var .venv
