"""The site of the pages: every page of docs/ that is no single code, runbook or decision can be found in its navigation."""

from pathlib import Path
from typing import Any

import yaml

from dev.docs_site import PAGES, lay_out, show_folders
from tests.support.deployment import ROOT


class _Loader(yaml.SafeLoader):
    """Of settings in which a function is named."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)
SETTINGS: dict[str, Any] = yaml.load((ROOT / "mkdocs.yml").read_text(), Loader=_Loader)  # noqa: S506 - a SafeLoader


def _pages(entries: Any) -> list[str]:
    match entries:
        case str():
            return [entries]
        case dict():
            return [page for each in entries.values() for page in _pages(each)]
        case _:
            return [page for each in entries for page in _pages(each)]


def test_every_page_is_in_the_navigation() -> None:
    found = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")}

    assert found - set(_pages(SETTINGS["nav"])) == {"docs/README.md"}, "the map itself: the navigation says the same"
    assert str(PAGES.relative_to(ROOT)) == SETTINGS["docs_dir"]
    assert SETTINGS["strict"] is True


def test_the_pages_lie_as_in_the_repository_and_folders_of_examples_have_one(tmp_path: Path) -> None:
    lay_out(ROOT, tmp_path)
    show_folders(tmp_path / "examples")

    assert all((tmp_path / page).is_file() for page in _pages(SETTINGS["nav"]))
    assert all((folder / "README.md").is_file() for folder in (tmp_path / "examples").rglob("*") if folder.is_dir())
    assert "kind: VNetPeering" in (tmp_path / "examples/hub-and-spoke/README.md").read_text()
    assert not list(tmp_path.rglob("*.tpl"))


def test_the_log_is_read_of_all_replicas() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]

    assert [page.name for page in pages if "logs deployment/" in page.read_text()] == []
