"""Custom resources as files hold them: YAML or JSON, one document or several, or a List."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click
import yaml
from pydantic import ValidationError

from bastion_operator import api
from bastion_operator.api.bastion_host import BastionHost
from bastion_operator.api.meta import API_VERSION, GROUP
from bastion_operator.api.model import first_error
from bastion_operator.api.server_rules import refusals, without_nulls
from bastion_operator.api.vnet_peering import VNetPeering
from bastion_operator.cli.errors import Refusal

Resource = BastionHost | VNetPeering
KINDS: Final[Mapping[str, type[Resource]]] = {"BastionHost": BastionHost, "VNetPeering": VNetPeering}
Manifest = dict[str, Any]
_OUR_KINDS: Final = tuple(kind.names.kind for kind in api.KINDS)
_EXAMPLES: Final = "see examples/ for resources to begin with, and kubectl explain for their fields"
_STANDARD_INPUT: Final = "-"
_SUFFIXES: Final = (".yaml", ".yml")
"""Of the files of a folder that are taken; JSON beside them may be an estate."""


def read_manifests(names: Iterable[str]) -> list[Manifest]:
    """The BastionHosts and VNetPeerings of files, in their order; other kinds are passed over.

    Of one that is given several times the last counts, which is said on stderr.

    Raises Refusal for what is no manifest, or of another version.
    """
    files = dict.fromkeys(file for name in names for file in _files_of(name))
    found = [manifest for file in files for manifest in _of_file(file)]
    if not found:
        raise Refusal("the files hold neither a BastionHost nor a VNetPeering", _EXAMPLES)
    return _last_of_each(found)


def _last_of_each(manifests: Iterable[Manifest]) -> list[Manifest]:
    found: dict[str, Manifest] = {}
    times: Counter[str] = Counter()
    for each in manifests:
        name = shown_name(each)
        times[name] += 1
        found[name] = each
    for name, count in times.items():
        if count > 1:
            told = "twice" if count == len(("first", "second")) else f"{count} times"
            click.echo(f"{name} is given {told}: the last one counts, as with kubectl apply", err=True)
    return list(found.values())


def resource_of(manifest: Manifest) -> Resource:
    """The custom resource as a model. Raises Refusal that names the field."""
    try:
        kind = KINDS[manifest["kind"]]
        return kind.model_validate(without_nulls(kind, manifest))
    except ValidationError as error:
        raise Refusal(f"{shown_name(manifest)}, {first_error(error)}", _EXAMPLES) from error


def refuse_wrong(manifests: Iterable[Manifest]) -> None:
    """Raises Refusal for the first of them that the API server would not take as a new object."""
    for each in manifests:
        wrong = next(refusals(KINDS[each["kind"]], each), None)
        if wrong is not None:
            raise Refusal(f"{shown_name(each)}, {wrong}", _EXAMPLES)


def shown_name(manifest: Manifest) -> str:
    """Kind, namespace and name, as people write them."""
    metadata = manifest["metadata"]
    namespace = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{manifest['kind']} {namespace}{metadata['name']}"


def _files_of(name: str) -> list[str]:
    """The file, or those of a folder."""
    folder = Path(name)
    if name == _STANDARD_INPUT or not folder.is_dir():
        return [name]
    found = sorted(str(each) for each in folder.iterdir() if each.suffix in _SUFFIXES)
    if not found:
        raise Refusal(
            f"the folder {name} holds no manifest", f"give a file, or a folder with {', '.join(_SUFFIXES)} files"
        )
    return found


def _of_file(name: str) -> Iterator[Manifest]:
    shown = "standard input" if name == _STANDARD_INPUT else name
    try:
        text = sys.stdin.read() if name == _STANDARD_INPUT else Path(name).read_text(encoding="utf-8")
        documents = list(yaml.safe_load_all(text))
    except OSError as error:
        raise Refusal(f"{shown} cannot be read: {error.strerror or error}", "check the name after -f") from error
    except (yaml.YAMLError, UnicodeError) as error:
        what = " ".join(str(error).split())
        raise Refusal(f"{shown} is no YAML: {what}", "give the file that kubectl apply -f takes") from error
    for number, document in enumerate(documents, start=1):
        listed = document.get("items") if isinstance(document, dict) and document.get("kind") == "List" else None
        for each in listed if isinstance(listed, list) else [document]:
            if each is not None and _is_ours(f"{shown}, document {number}", each):
                yield each


def _is_ours(where: str, document: object) -> bool:
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        raise Refusal(f"{where} is no Kubernetes object: it has no kind", _EXAMPLES)
    kind, version = document["kind"], document.get("apiVersion")
    if version is None and kind in _OUR_KINDS:
        raise Refusal(f"{where} has no apiVersion", f"write apiVersion: {API_VERSION}")
    if not str(version).startswith(f"{GROUP}/"):
        return False
    if kind not in _OUR_KINDS:
        raise Refusal(f"{where}: {GROUP} has no kind {kind}, {_meant(kind)}", _EXAMPLES)
    if kind not in KINDS:
        return False
    if version != API_VERSION:
        raise Refusal(
            f"{where} is of {version}, and this program reads {API_VERSION}", f"write apiVersion: {API_VERSION}"
        )
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        raise Refusal(f"{where} has no metadata.name", "give the custom resource a name")
    return True


def _meant(kind: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  only for a kind that is wrong

    by_lower = {each.lower(): each for each in _OUR_KINDS}
    close = get_close_matches(kind.lower(), by_lower, n=1)
    return f"{by_lower[close[0]]} may be meant" if close else f"only {', '.join(_OUR_KINDS)}"
