# Every line calls a program; what it does is told there. See `make help`.
UV  = python3 dev/with_uv.py
RUN = $(UV) run --frozen --quiet
# The first build of the API server takes longer than any single test may.
PREPARE = $(RUN) python -m dev.control_plane --prepare

.PHONY: help demo test test-long test-clients test-browser test-gitops check-deploy sbom docs check format bench generate golden clean
help:        ; @python3 dev/make_help.py Makefile              # this list
demo:        ; @$(RUN) python -m dev.demo                       # the main job from end to end, on a real API server and a local Azure
test:        ; @$(PREPARE) && $(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not long and not clients and not browser and not deploy and not gitops"  # every test that needs no special machine
test-long:   ; @$(PREPARE) && $(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not clients and not browser and not deploy and not gitops" --hypothesis-profile=new-examples  # the same with the large numbers, and new examples for the property tests
test-clients: ; @$(RUN) python -m dev.azure_cli && $(RUN) pytest -m clients tests/clients -o log_cli=true -o log_cli_level=INFO  # the real az and the Go SDK against the local Azure
test-browser: ; @$(RUN) --group browser pytest -m browser tests/browser  # the page of topology in a real Chromium (apt-get install chromium, or CHROME)
test-gitops: ; @$(PREPARE) && $(RUN) python -m dev.gitops_tools && $(RUN) --group gitops pytest -m gitops tests/gitops  # a real Argo CD on the API server, the local Azure and a git repository
check-deploy: ; @$(PREPARE) && $(RUN) python -m dev.deploy_tools && $(RUN) hadolint Dockerfile && $(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not long and not clients" tests/deploy tests/component/test_image.py tests/component/test_deploy_base.py  # charts, manifests, alerts, upgrades and image by real helm, promtool, hadolint and API server
docs:        ; @$(RUN) --group docs python -m dev.docs_site      # the pages as a site, in .cache/site; fails on a link that leads nowhere
sbom:        ; @$(RUN) python -m dev.sbom                       # sbom.cdx.json: what the image holds, from the lock file (CycloneDX)
check:       ; @$(RUN) python -m dev.check                      # linters, types, walls, generated files up to date
format:      ; @$(RUN) ruff format && $(RUN) ruff check --fix   # the formatter and what the linter can mend
bench:       ; @$(PREPARE) && $(RUN) python -m benchmarks        # the benchmarks: JSON lines and a table; fails on a missed limit that is no time
generate:    ; @$(RUN) python -m dev.generate                   # crds/, the pages reference, settings, azure-api and the index of codes in docs/, and what the charts and Argo CD take from elsewhere
golden:      ; @$(RUN) pytest -q tests/component/cli --snapshot-update -m "not long and not clients and not browser"  # what commands print, written anew as golden files
clean:       ; @rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache; find . -name __pycache__ -not -path "./.git/*" -prune -exec rm -rf {} +
