"""The pages as a site: `python -m dev.docs_site` builds it into .cache/site, and fails on any link that leads nowhere.

The generator takes one folder of pages, and ours lie in several: those and what they link to are laid out as in the
repository, so that every relative link stays as it is.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PAGES: Final = ROOT / ".cache/site-pages"
SITE: Final = ROOT / ".cache/site"
# Whole folders with what their pages show, and single pages.
_FOLDERS: Final = ("docs", "deploy", "examples")
_FILES: Final = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "operator/arm_emulator/README.md")


def lay_out(root: Path, into: Path) -> None:
    """Copy the pages and the files that they lead to; what lay there before is gone."""
    shutil.rmtree(into, ignore_errors=True)
    for folder in _FOLDERS:
        # A chart's templates only look like pages' neighbours.
        shutil.copytree(root / folder, into / folder, ignore=shutil.ignore_patterns("templates", "*.tpl"))
    for file in _FILES:
        (into / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / file, into / file)


def show_folders(examples: Path) -> None:
    """Give every folder of examples that has no page one that shows its manifests."""
    for folder in (examples, *(path for path in examples.rglob("*") if path.is_dir())):
        page = folder / "README.md"
        if not page.exists():
            page.write_text(_page_of(folder), encoding="utf-8")


def _page_of(folder: Path) -> str:
    entries = sorted(folder.iterdir())
    lines = [f"# {folder.name}", ""]
    lines += [f"- [{each.name}]({each.name}{'/README.md' if each.is_dir() else ''})" for each in entries]
    for manifest in entries:
        if manifest.suffix == ".yaml":
            lines += ["", f"## {manifest.name}", "", "```yaml", manifest.read_text(encoding="utf-8").rstrip(), "```"]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Build it; returns the exit code."""
    lay_out(ROOT, PAGES)
    show_folders(PAGES / "examples")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(ROOT / "mkdocs.yml")]
    # The generator's own news would hide the links that are reported.
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    if code == 0:
        print(f"built {SITE.relative_to(ROOT)}/index.html: {len(list(SITE.rglob('*.html')))} pages")
    return code


if __name__ == "__main__":
    sys.exit(main())
