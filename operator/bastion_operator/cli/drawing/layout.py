"""Where the parts of a picture go: a hub above its spokes, a mesh as a ring, the rest in rows. The same for the same topology.

Lengths are CSS pixels, from the top left corner.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bastion_operator.cli.drawing.graph import Connection, Network, Role, Topology
from bastion_operator.cli.drawing.words import bastion_words, machine_words, role_words

Point = tuple[float, float]

BOX_WIDTH: Final = 248.0
LINE_HEIGHT: Final = 17.0
PADDING: Final = 9.0
_GAP: Final = 28.0
_BLOCK_GAP: Final = 44.0
_INDENT: Final = 14.0
_MARGIN: Final = 24.0
_WIDEST: Final = 1500.0
# A column of boxes is as high as a row of them is wide with this many columns for n spokes: sqrt(n) times it.
_COLUMNS_BY_ROOT: Final = 0.6
_RING: Final = 3


@dataclass(frozen=True, slots=True)
class Box:
    """A network's place."""

    network: Network
    lines: tuple[str, ...]
    x: float
    y: float

    @property
    def height(self) -> float:
        """As high as its lines of text."""
        return 2 * PADDING + LINE_HEIGHT * len(self.lines)

    @property
    def middle(self) -> Point:
        """Its centre."""
        return self.x + BOX_WIDTH / 2, self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Line:
    """A connection's way. Two points are joined by a straight line, four are those of a cubic curve where ``curved``."""

    connection: Connection
    points: tuple[Point, ...]
    curved: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything in its place."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Block:
    """Boxes that belong together, placed from a corner of their own, with the lines between them."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...] = ()

    def moved(self, dx: float, dy: float) -> "_Block":
        boxes = tuple(replace(box, x=box.x + dx, y=box.y + dy) for box in self.boxes)
        lines = tuple(replace(line, points=tuple((x + dx, y + dy) for x, y in line.points)) for line in self.lines)
        return replace(self, boxes=boxes, lines=lines)


def lay_out(topology: Topology) -> Picture:
    """Every network and every connection in its place."""
    homes = _homes(topology)
    blocks = [*_trees(topology, homes), *_meshes(topology, homes), *_singles(topology)]
    placed = list(_in_rows(blocks))
    boxes = {box.network.key: box for block in placed for box in block.boxes}
    lines = [line for block in placed for line in block.lines]
    drawn = {(line.connection.one, line.connection.other) for line in lines}
    lines += [
        _curve(connection, boxes)
        for connection in topology.connections
        if (connection.one, connection.other) not in drawn
    ]
    right = max((block.width + block.boxes[0].x for block in placed if block.boxes), default=0.0)
    corners = [(box.x + BOX_WIDTH, box.y + box.height) for box in boxes.values()]
    points = [point for line in lines for point in line.points]
    return Picture(
        width=max([right, *(x for x, _ in corners), *(x for x, _ in points)]) + _MARGIN,
        height=max([0.0, *(y for _, y in corners), *(y for _, y in points)]) + _MARGIN,
        boxes=tuple(boxes.values()),
        lines=tuple(lines),
    )


def text_of(network: Network) -> tuple[str, ...]:
    """The lines of text in a network's box: its name, what it is, its prefixes, its Bastions, its VMs."""
    lines = [network.name, role_words(network)]
    if network.prefixes:
        more = len(network.prefixes) - 1
        lines.append(network.prefixes[0] + (f" and {more} more" if more else ""))
    lines += map(bastion_words, network.bastions)
    if network.machines.total:
        lines += machine_words(network.machines).split(", ", 1)
    return tuple(map(_shortened, lines))


_MOST_CHARACTERS = 34


def _shortened(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…"


def _homes(topology: Topology) -> Mapping[str, str]:
    """The hub under which a network that is none is drawn: the first that it is connected with."""
    networks = topology.by_key
    hubs = {key for key, network in networks.items() if network.role in {Role.HUB, Role.VIRTUAL_HUB}}
    found = {}
    for key, others in topology.neighbours.items():
        home = next((other for other in others if other in hubs), None)
        if key not in hubs and home is not None:
            found[key] = home
    return found


def _box(network: Network, x: float, y: float) -> Box:
    return Box(network, text_of(network), x, y)


def _trees(topology: Topology, homes: Mapping[str, str]) -> Iterator[_Block]:
    connections = {frozenset((each.one, each.other)): each for each in topology.connections}
    for hub in topology.networks:
        if hub.role not in {Role.HUB, Role.VIRTUAL_HUB}:
            continue
        spokes = [network for network in topology.networks if homes.get(network.key) == hub.key]
        yield _tree(hub, [(spoke, connections[frozenset((hub.key, spoke.key))]) for spoke in spokes])


def _tree(hub: Network, spokes: Sequence[tuple[Network, Connection]]) -> _Block:
    """The hub, and columns of spokes that hang on lines from it."""
    top = _box(hub, 0.0, 0.0)
    columns = max(1, round(_COLUMNS_BY_ROOT * math.sqrt(len(spokes))))
    rows = max(1, math.ceil(len(spokes) / columns))
    boxes, lines = [top], []
    trunk = top.height + _GAP / 2
    for start in range(0, len(spokes), rows):
        rail = start // rows * (BOX_WIDTH + _INDENT + 2 * _GAP) + _INDENT
        y = top.height + _GAP
        for spoke, connection in spokes[start : start + rows]:
            box = _box(spoke, rail + _INDENT + _GAP / 2, y)
            middle = y + box.height / 2
            way = ((_INDENT, top.height), (_INDENT, trunk), (rail, trunk), (rail, middle), (box.x, middle))
            lines.append(Line(connection, tuple(dict.fromkeys(way))))
            boxes.append(box)
            y += box.height + _GAP / 2
    return _Block(
        width=max(box.x for box in boxes) + BOX_WIDTH,
        height=max(box.y + box.height for box in boxes),
        boxes=tuple(boxes),
        lines=tuple(lines),
    )


def _meshes(topology: Topology, homes: Mapping[str, str]) -> Iterator[_Block]:
    """Networks that are connected with one another and with no hub."""
    networks, neighbours = topology.by_key, topology.neighbours
    hubs = {key for key, network in networks.items() if network.role in {Role.HUB, Role.VIRTUAL_HUB}}
    seen: set[str] = set(hubs) | homes.keys()
    for key in networks:
        if key in seen or not neighbours[key]:
            continue
        group, waiting = [], [key]
        seen.add(key)
        while waiting:
            group.append(current := waiting.pop(0))
            for other in dict.fromkeys(neighbours[current]):
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        members = set(group)
        inside = [each for each in topology.connections if {each.one, each.other} <= members]
        yield _ring([networks[each] for each in group], inside)


def _ring(networks: Sequence[Network], connections: Iterable[Connection]) -> _Block:
    """Networks on an ellipse with straight lines between them; two beside each other."""
    highest = max(_box(network, 0, 0).height for network in networks)
    count = len(networks)
    if count < _RING:
        places = [(number * (BOX_WIDTH + _BLOCK_GAP), 0.0) for number in range(count)]
    else:
        across = max(BOX_WIDTH, count * (BOX_WIDTH + _GAP) / (2 * math.pi)) * 1.15
        down = max(highest + _GAP, count * (highest + _GAP) / 4)
        angles = [2 * math.pi * number / count - math.pi / 2 for number in range(count)]
        places = [(round(across * (1 + math.cos(each)), 1), round(down * (1 + math.sin(each)), 1)) for each in angles]
    boxes = {network.key: _box(network, x, y) for network, (x, y) in zip(networks, places, strict=True)}
    lines = tuple(Line(each, (boxes[each.one].middle, boxes[each.other].middle)) for each in connections)
    return _Block(
        width=max(box.x for box in boxes.values()) + BOX_WIDTH,
        height=max(box.y + box.height for box in boxes.values()),
        boxes=tuple(boxes.values()),
        lines=lines,
    )


def _singles(topology: Topology) -> Iterator[_Block]:
    neighbours = topology.neighbours
    for network in topology.networks:
        if not neighbours[network.key] and network.role not in {Role.HUB, Role.VIRTUAL_HUB}:
            box = _box(network, 0.0, 0.0)
            yield _Block(BOX_WIDTH, box.height, (box,))


def _in_rows(blocks: Iterable[_Block]) -> Iterator[_Block]:
    """Blocks beside each other, in as many rows as it takes."""
    x, y, highest = _MARGIN, _MARGIN, 0.0
    for block in blocks:
        if x > _MARGIN and x + block.width > _WIDEST:
            x, y, highest = _MARGIN, y + highest + _BLOCK_GAP, 0.0
        yield block.moved(x, y)
        x += block.width + _BLOCK_GAP
        highest = max(highest, block.height)


def _curve(connection: Connection, boxes: Mapping[str, Box]) -> Line:
    """A connection between boxes of which neither hangs on the other: from the side of one to the near side of the other."""
    left, right = sorted((boxes[connection.one], boxes[connection.other]), key=lambda box: (box.x, box.y))
    start = (left.x + BOX_WIDTH, left.middle[1])
    beside = right.x >= left.x + BOX_WIDTH
    end = (right.x if beside else right.x + BOX_WIDTH, right.middle[1])
    reach = max(_BLOCK_GAP, abs(end[0] - start[0]) / 2)
    away = (start[0] + reach, start[1])
    back = (end[0] - reach if beside else end[0] + reach, end[1])
    return Line(connection, (start, away, back, end), curved=True)
