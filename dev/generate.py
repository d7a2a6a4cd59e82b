"""Write what is made: crds/ and docs/reference.md from the models, the index of docs/codes, the tables of docs/azure-api.md,
docs/settings.md from the options of the program, and what the charts and the rest of deploy/ take from elsewhere.

With --check: only say what is stale.
"""

import argparse
import sys
from pathlib import Path

from bastion_operator.api import KINDS
from bastion_operator.api.crds import render_crd
from bastion_operator.api.meta import GROUP
from bastion_operator.api.reference import render_reference
from dev.chart_files import CRD_CHART, chart_files
from dev.code_index import PLACE, render_code_index
from dev.error_tables import PLACE as ERROR_TABLES
from dev.error_tables import render_azure_api
from dev.settings import render_settings

ROOT = Path(__file__).resolve().parent.parent
CRD_FOLDER = "crds"
_HEAD = "# Made from the models in operator/bastion_operator/api by `make generate`; do not edit.\n"


def generated_files() -> dict[str, str]:
    """Path, relative to the repository, and content of every generated file."""
    definitions = {f"{CRD_FOLDER}/{GROUP}_{kind.names.plural}.yaml": _HEAD + render_crd(kind) for kind in KINDS}
    documents = {"docs/reference.md": render_reference(), f"{PLACE}/README.md": render_code_index(ROOT)}
    documents[ERROR_TABLES] = render_azure_api(ROOT)
    documents["docs/settings.md"] = render_settings()
    return {**definitions, **documents, **chart_files(ROOT)}


def stale_files(root: Path = ROOT) -> list[str]:
    """The generated files that are missing or differ, and the CRDs of kinds that are no longer there."""
    wanted = generated_files()
    differing = [path for path, content in wanted.items() if _content(root / path) != content]
    folders = (CRD_FOLDER, f"{CRD_CHART}/templates")
    left_over = [f"{folder}/{path.name}" for folder in folders for path in (root / folder).glob(f"{GROUP}_*.yaml")]
    return sorted([*differing, *(path for path in left_over if path not in wanted)])


def write_files(root: Path = ROOT) -> list[str]:
    """Bring the generated files up to date; returns those that were not."""
    wanted = generated_files()
    changed = stale_files(root)
    for path in changed:
        if path in wanted:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(wanted[path], encoding="utf-8")
        else:
            (root / path).unlink()
    return changed


def _content(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main(arguments: list[str] | None = None) -> int:
    """Write, or check; exit code 1 if a check found a stale file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if a file is stale")
    if parser.parse_args(arguments).check:
        stale = stale_files()
        for path in stale:
            print(f"{path} is not what it is made from says: run `make generate` and commit it", file=sys.stderr)
        return 1 if stale else 0
    for path in write_files():
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
