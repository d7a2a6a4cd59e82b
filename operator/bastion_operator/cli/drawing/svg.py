"""A topology as SVG: light or dark as the reader's system is, with a title on every part for who cannot see it."""

from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from bastion_operator.cli.drawing.graph import Topology
from bastion_operator.cli.drawing.layout import BOX_WIDTH, LINE_HEIGHT, PADDING, Box, Line, Picture, lay_out
from bastion_operator.cli.drawing.words import connection_words, sound, state_words
from bastion_operator.network.peering import PairState

STYLE: Final = """
.map { --paper: #ffffff; --ink: #1b1f24; --soft: #57606a; --line: #8c959f; --box: #f6f8fa; --hub: #dbeafe;
  --good: #1a7f37; --bad: #c62828; --doubt: #9a6700; font: 13px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { .map { --paper: #0d1117; --ink: #e6edf3; --soft: #9aa4af; --line: #6e7681;
  --box: #161b22; --hub: #132d52; --good: #56d364; --bad: #ff7b72; --doubt: #e3b341; } }
.map .paper { fill: var(--paper); }
.map rect.network { fill: var(--box); stroke: var(--line); }
.map .hub rect.network, .map .virtualhub rect.network { fill: var(--hub); }
.map .notshown rect.network { stroke-dasharray: 4 4; }
.map text { fill: var(--soft); }
.map text.name { fill: var(--ink); font-weight: 600; }
.map path { fill: none; stroke: var(--line); stroke-width: 1.5; }
.map .broken path { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 6 4; }
.map .doubtful path { stroke: var(--doubt); stroke-dasharray: 2 4; stroke-width: 2; }
.map .state { font-size: 11px; fill: var(--bad); paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
.map .doubtful .state { fill: var(--doubt); }
.map .allreached text.machines { fill: var(--good); }
.map .someunreached text.machines { fill: var(--bad); }
""".strip()
_NAMESPACE: Final = "http://www.w3.org/2000/svg"
_CURVE: Final = 4


def as_svg(topology: Topology) -> str:
    """An SVG document that needs nothing from elsewhere."""
    image = svg_element(lay_out(topology))
    style = Element("style")
    style.text = STYLE
    image.insert(1, style)
    indent(image, " ")
    return tostring(image, encoding="unicode")


def svg_element(picture: Picture) -> Element:
    """The picture as an element. Each network is a group with its id in ``data-network``; sound lines are drawn first."""
    size = {"width": _number(picture.width), "height": _number(picture.height)}
    image = Element(
        "svg",
        {
            "xmlns": _NAMESPACE,
            "class": "map",
            "viewBox": f"0 0 {size['width']} {size['height']}",
            "role": "group",
            **size,
        },
    )
    SubElement(image, "title").text = "Virtual networks, peerings and Bastions"
    SubElement(image, "rect", {"class": "paper", "width": "100%", "height": "100%"})
    for line in sorted(picture.lines, key=lambda each: not sound(each.connection)):
        _draw_line(image, line)
    for box in picture.boxes:
        _draw_box(image, box)
    return image


def _draw_line(image: Element, line: Line) -> None:
    connection = line.connection
    doubtful = connection.state is PairState.UNKNOWN
    kind = "connection" if sound(connection) else "connection doubtful" if doubtful else "connection broken"
    group = SubElement(image, "g", {"class": kind})
    SubElement(
        group, "title"
    ).text = (
        f"{connection.one.rsplit('/', 1)[-1]} and {connection.other.rsplit('/', 1)[-1]}: {connection_words(connection)}"
    )
    points = [f"{_number(x)},{_number(y)}" for x, y in line.points]
    way = f"M{points[0]} C{' '.join(points[1:])}" if line.curved else f"M{' L'.join(points)}"
    SubElement(group, "path", {"d": way})
    if not sound(connection):
        x, y = _label_place(line)
        place = {"class": "state", "x": _number(x), "y": _number(y), "text-anchor": "middle"}
        SubElement(group, "text", place).text = state_words(connection)


def _label_place(line: Line) -> tuple[float, float]:
    """The middle of a straight or curved line; above the last stretch of one that hangs from a hub."""
    points = line.points
    if line.curved and len(points) == _CURVE:
        middle = [
            (points[0][axis] + 3 * points[1][axis] + 3 * points[2][axis] + points[3][axis]) / 8 for axis in (0, 1)
        ]
        return middle[0], middle[1]
    (x, y), (end_x, end_y) = points[-2], points[-1]
    return (x + end_x) / 2, (y + end_y) / 2 - (6 if y == end_y else 0)


def _draw_box(image: Element, box: Box) -> None:
    network = box.network
    machines = network.machines
    kinds = [network.role.value.lower()]
    if machines.total:
        kinds.append("someunreached" if machines.unreachable else "allreached")
    group = SubElement(image, "g", {"class": " ".join(kinds), "data-network": network.key})
    SubElement(group, "title").text = f"{network.id}: {'; '.join(box.lines[1:])}"
    place = {"x": _number(box.x), "y": _number(box.y), "rx": "6"}
    size = {"width": _number(BOX_WIDTH), "height": _number(box.height)}
    SubElement(group, "rect", {"class": "network", **place, **size})
    for number, line in enumerate(box.lines):
        kind = {0: "name"}.get(number, "machines" if "VMs reachable" in line else "detail")
        y = box.y + PADDING + LINE_HEIGHT * (number + 0.75)
        SubElement(group, "text", {"class": kind, "x": _number(box.x + PADDING), "y": _number(y)}).text = line


def _number(value: float) -> str:
    return f"{round(value, 1):g}"
