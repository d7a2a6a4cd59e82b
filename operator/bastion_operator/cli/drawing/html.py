"""A topology with its VMs as one page that needs nothing from elsewhere: a map, and a table to filter and sort.

The policy in its head lets the page load nothing and run only the script in it: what names in Azure hold cannot be run.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from bastion_operator.cli.drawing.graph import Network, Topology
from bastion_operator.cli.drawing.layout import lay_out
from bastion_operator.cli.drawing.svg import STYLE, svg_element
from bastion_operator.network.reachability import Verdict

_HEADS: Final = ("VM", "Network", "Protocol", "Verdict", "Bastion", "Via", "Methods", "Reasons")
_VERDICTS: Final = ("Reachable", "Unreachable", "Unknown")


@dataclass(frozen=True, slots=True)
class Row:
    """A verdict with the network of its VM; None where the data does not tell it."""

    verdict: Verdict
    network: Network | None


def as_html(topology: Topology, verdicts: Sequence[Verdict], networks: Mapping[str, str | None]) -> str:
    """The page; ``networks`` gives the key of a VM's network by the VM's id as the verdict has it."""
    known = topology.by_key
    rows = [Row(each, known.get(networks.get(each.vm) or "")) for each in verdicts]
    style, script = f"{_resource('page.css')}\n{STYLE}", _resource("page.js")
    page = Element("html", {"lang": "en"})
    _add_head(page, style, script)
    body = SubElement(page, "body")
    _add(body, "a", "To the table of VMs", {"href": "#machines", "class": "skip"})
    _add(body, "h1", "What Azure Bastion reaches")
    _add(body, "p", _summary(topology, rows))
    _add_map(body, topology)
    _add_table(body, topology, rows)
    # Only now: a script that comes first would find no table.
    _add(body, "script", script)
    return "<!DOCTYPE html>\n" + tostring(page, encoding="unicode", method="html") + "\n"


def _resource(name: str) -> str:
    return files("bastion_operator.cli.drawing").joinpath(name).read_text(encoding="utf-8")


def _add(parent: Element, tag: str, text: str, attributes: Mapping[str, str] | None = None) -> Element:
    element = SubElement(parent, tag, dict(attributes or {}))
    element.text = text
    return element


def _add_head(page: Element, style: str, script: str) -> None:
    head = SubElement(page, "head")
    SubElement(head, "meta", {"charset": "utf-8"})
    SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    allowed = f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'"
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": allowed})
    # Without this a browser asks the server for an icon.
    SubElement(head, "link", {"rel": "icon", "href": "data:,"})
    _add(head, "title", "What Azure Bastion reaches")
    _add(head, "style", style)


def _digest(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _summary(topology: Topology, rows: Sequence[Row]) -> str:
    counts = [sum(row.verdict.verdict.value == each for row in rows) for each in _VERDICTS]
    bastions = sum(len(network.bastions) for network in topology.networks)
    told = ", ".join(f"{count} {verdict.lower()}" for verdict, count in zip(_VERDICTS, counts, strict=True))
    return f"{len(topology.networks)} networks, {len(topology.connections)} connections, {bastions} Bastions, {len(rows)} VMs: {told}."


def _add_map(body: Element, topology: Topology) -> None:
    section = SubElement(body, "section", {"aria-labelledby": "map"})
    _add(section, "h2", "Map", {"id": "map"})
    _add(section, "p", "Choose a network, with a click or with Tab and Enter, to see its VMs; again to see all.")
    canvas = SubElement(section, "div", {"class": "canvas"})
    canvas.append(svg_element(lay_out(topology)))


def _add_table(body: Element, topology: Topology, rows: Sequence[Row]) -> None:
    section = SubElement(body, "section", {"aria-labelledby": "machines"})
    _add(section, "h2", "VMs", {"id": "machines", "tabindex": "-1"})
    _add_form(section, topology, rows)
    table = SubElement(SubElement(section, "div", {"class": "scroll"}), "table")
    heads = SubElement(SubElement(table, "thead"), "tr")
    for head in _HEADS:
        _add(SubElement(heads, "th", {"scope": "col"}), "button", head, {"type": "button"})
    body_rows = SubElement(table, "tbody")
    for row in rows:
        _add_row(body_rows, row)


def _add_form(section: Element, topology: Topology, rows: Sequence[Row]) -> None:
    form = SubElement(section, "form")
    search = _add(form, "label", "Search (press /)")
    SubElement(search, "input", {"type": "search", "name": "search", "autocomplete": "off"})
    inhabited = {row.network.key for row in rows if row.network is not None}
    networks = {each.key: each.name for each in topology.networks if each.key in inhabited or each.prefixes}
    _add_choice(form, "Network", "network", networks)
    _add_choice(form, "Verdict", "verdict", {each: each for each in _VERDICTS})
    codes = sorted({reason.code for row in rows for reason in row.verdict.reasons})
    _add_choice(form, "Reason", "reason", {code: code for code in codes})
    _add(form, "button", "Show all (Esc)", {"type": "reset"})
    _add(form, "output", f"{len(rows)} VMs", {"aria-live": "polite"})


def _add_choice(form: Element, label: str, name: str, options: Mapping[str, str]) -> None:
    choice = SubElement(_add(form, "label", label), "select", {"name": name})
    _add(choice, "option", "all", {"value": ""})
    for value, text in options.items():
        _add(choice, "option", text, {"value": value})


def _add_row(body: Element, row: Row) -> None:
    verdict = row.verdict
    data = {
        "data-network": row.network.key if row.network else "",
        "data-verdict": verdict.verdict.value,
        "data-codes": " ".join(str(reason.code) for reason in verdict.reasons),
    }
    line = SubElement(body, "tr", data)
    _add(line, "th", verdict.vm_name, {"scope": "row", "title": verdict.vm})
    _add(line, "td", row.network.name if row.network else "-")
    _add(line, "td", f"{verdict.protocol.value} {verdict.port}")
    _add(line, "td", verdict.verdict.value, {"class": verdict.verdict.value})
    bastion = {"title": verdict.bastion} if verdict.bastion else {}
    _add(line, "td", verdict.bastion.rsplit("/", 1)[-1] if verdict.bastion else "-", bastion)
    _add(line, "td", verdict.via.value if verdict.via else "-")
    _add(line, "td", ", ".join(method.value for method in verdict.methods) or "-")
    reasons = SubElement(line, "td")
    listed = SubElement(reasons, "ul") if verdict.reasons else None
    for reason in verdict.reasons:
        item = SubElement(listed if listed is not None else reasons, "li")
        code = _add(item, "span", str(reason.code), {"class": "code"})
        code.tail = f": {reason.message}"
