"""What the pages tell people to do: their YAML is accepted by a real API server, their links and commands exist."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from dev.control_plane import ControlPlane, KubectlError
from tests.support.deployment import BASE, ROOT, Manifest, rendered

OURS = "azurebastion.dev/"
KUSTOMIZATION = "Kustomization"
PAGES = sorted(
    path for pattern in ("*.md", "docs/**/*.md", "deploy/**/*.md", "examples/**/*.md") for path in ROOT.glob(pattern)
)


@dataclass(frozen=True)
class Block:
    """YAML that a reader would apply, and where it stands."""

    place: str
    text: str

    def __str__(self) -> str:
        return self.place

    @property
    def documents(self) -> list[Manifest]:
        return [each for each in yaml.safe_load_all(self.text) if each]

    @property
    def is_ours(self) -> bool:
        return any(str(each.get("apiVersion", "")).startswith(OURS) for each in self.documents)


def blocks_of(page: Path) -> Iterator[Block]:
    """The fenced YAML blocks of a page."""
    text = page.read_text()
    for match in re.finditer(r"^```ya?ml\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, match.start()) + 2
        yield Block(f"{page.relative_to(ROOT)}:{line}", match[1])


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
EXAMPLES = [Block(str(path.relative_to(ROOT)), path.read_text()) for path in sorted(ROOT.glob("examples/**/*.yaml"))]
OUR_BLOCKS = [block for block in (*BLOCKS, *EXAMPLES) if block.is_ours]
OVERLAYS = [block for block in BLOCKS if any(each.get("kind") == KUSTOMIZATION for each in block.documents)]


def test_the_pages_that_matter_are_looked_at() -> None:
    places = {block.place.partition(":")[0] for block in OUR_BLOCKS}

    assert {"README.md", "examples/azure-identity.yaml"} <= places
    kinds = {each["kind"] for block in OUR_BLOCKS if block.place.startswith("README.md") for each in block.documents}
    assert kinds == {"AzureIdentity", "BastionHost", "VNetPeering"}


@pytest.mark.parametrize("block", OUR_BLOCKS, ids=str)
def test_the_api_server_accepts_it(
    block: Block, control_plane: ControlPlane, crds_installed: list[str], namespace: str
) -> None:
    del crds_installed
    _dry_run(control_plane, block, namespace)


def test_the_api_server_would_refuse_a_field_that_is_not_there(
    control_plane: ControlPlane, crds_installed: list[str], namespace: str
) -> None:
    del crds_installed
    (block, *_) = (block for block in OUR_BLOCKS if "sku:" in block.text)

    with pytest.raises(KubectlError, match="unknown field"):
        _dry_run(control_plane, Block(block.place, block.text.replace("sku:", "skew:")), namespace)


def _dry_run(control_plane: ControlPlane, block: Block, namespace: str) -> None:
    documents = block.documents
    for each in documents:
        # The namespaces of the pages are the readers' own.
        if each["kind"] != "AzureIdentity":
            each["metadata"]["namespace"] = namespace
    control_plane.kubectl(
        "apply", "--dry-run=server", "--validate=strict", "-f", "-", input=yaml.safe_dump_all(documents)
    )


@pytest.mark.parametrize("block", OVERLAYS, ids=str)
def test_an_overlay_of_the_pages_builds_on_the_base(block: Block, control_plane: ControlPlane) -> None:
    (overlay,) = block.documents
    folder = BASE.parent / "mine"
    assert not folder.exists(), f"{folder} is in the way"
    folder.mkdir()
    try:
        (folder / "kustomization.yaml").write_text(block.text)
        manifests = rendered(control_plane, folder)
    finally:
        (folder / "kustomization.yaml").unlink(missing_ok=True)
        folder.rmdir()

    (deployment,) = (each for each in manifests if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    for image in overlay.get("images", []):
        assert container["image"] == f"{image['newName']}:{image['newTag']}"
    if "patches" in overlay:
        assert {"name": "BASTION_OPERATOR_RUN_LOG_LEVEL", "value": "debug"} in container["env"]
    assert overlay.keys() & {"images", "patches"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / unquote(path)).resolve() if path else page
        assert found.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in _anchors(found), f"{page.name}: {target}"


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+?) *$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"(?:`|^|\$ )make ([a-z-]+)\b", page.read_text(), re.MULTILINE)) <= targets


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs/adr"
    index = (folder / "README.md").read_text()

    assert [path.name for path in sorted(folder.glob("0*.md")) if f"({path.name})" not in index] == []
