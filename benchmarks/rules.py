"""Security rules: the plain evaluation rule by rule, this engine's, and what one changed group costs."""

import gc
import ipaddress
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import groupby
from random import Random
from statistics import median
from typing import Final

from bastion_operator.network.inventory import Inventory
from bastion_operator.network.prefixes import AddressSet
from bastion_operator.network.reachability import DEFAULT_PORTS, Evaluation, StandingVerdicts, judge_all
from bastion_operator.network.reachability.target import Target
from bastion_operator.network.security_group import Direction, SecurityGroup
from bastion_operator.network.service_tags import TagMeaning
from bastion_operator.network.virtual_network import Subnet, VirtualNetwork
from benchmarks.estate import (
    NETWORKS_A_HUB,
    Row,
    Shape,
    bastion_id,
    bastion_prefix,
    interface_id,
    network_id,
    network_prefix,
    rows,
    subnet_group_id,
)
from benchmarks.measure import Figure, cpu_seconds
from benchmarks.plain_rules import PlainGroup, decide, read_group, session_addresses

NAME: Final = "rules"
MACHINES: Final = 50_000
SAMPLE: Final = 60
CHANGES: Final = 20  # groups, each changed twice
PROTOCOLS: Final = tuple(DEFAULT_PORTS)


@dataclass(frozen=True, slots=True)
class Connection:
    """A VM, by its spoke's number and its place there, and a port on it."""

    network: int
    place: int
    port: int

    @property
    def hub(self) -> int:
        """The number of the hub whose Bastion connects."""
        return self.network - self.network % NETWORKS_A_HUB


def run() -> Iterator[Figure]:
    """The engine answers for all VMs, the plain evaluation for a sample; their answers must agree."""
    shape = Shape.of(MACHINES)
    by_id = {row["id"]: row for row in rows(shape)}
    inventory = Inventory.from_rows(by_id.values())
    _read(inventory)
    connections = [
        Connection(int(name[1]), int(name[2]), port)
        for vm in inventory.virtual_machines.values()
        for name in [vm.name.split("-")]
        for port in DEFAULT_PORTS.values()
    ]
    answers: dict[Connection, AddressSet] = {}
    evaluation = Evaluation(inventory)
    targets = {vm.name: evaluation.target(vm) for vm in inventory.virtual_machines.values()}
    whole = cpu_seconds(lambda: answers.update(_decide_all(evaluation, targets, connections)))
    plain = _plain_seconds(by_id, Random(4711).sample(connections, SAMPLE), answers) * len(connections)
    what = f"{MACHINES} VMs x (RDP, SSH), {shape.groups} groups of 43 rules"
    yield Figure(
        NAME, f"{what}: faster than plain rules", plain / whole, "x", f"plain rules, {SAMPLE} sampled", at_least=100
    )
    verdicts = cpu_seconds(lambda: judge_all(inventory, protocols=PROTOCOLS))
    yield Figure(NAME, "all steps, with reasons: faster than plain rules", plain / verdicts, "x", "plain rules alone")
    spent, judged = _changes(inventory, by_id)
    yield Figure(NAME, "one group changed, to the new verdicts", spent * 1000, "ms", at_most=5)
    yield Figure(
        NAME, "the same: faster than plain rules", plain / spent, "x", "plain rules for all VMs", at_least=1_000
    )
    yield Figure(NAME, "VMs judged after it that it does not touch", judged, "VMs", at_most=0)


def _read(inventory: Inventory) -> None:
    """Rows are read when first asked for; here rules are measured, not reading, as with the plain evaluation."""
    for table in (
        inventory.virtual_machines,
        inventory.network_interfaces,
        inventory.subnets,
        inventory.security_groups,
    ):
        assert table


def _decide_all(
    evaluation: Evaluation, targets: dict[str, Target], connections: list[Connection]
) -> Iterator[tuple[Connection, AddressSet]]:
    """What of the Bastion's addresses the groups keep from each connection; tables of rules are made on the way."""
    near: dict[str, list[_Group]] = {}
    far: dict[str, list[_Group]] = {}
    for (name, hub), ports in groupby(connections, key=lambda each: (f"vm-{each.network}-{each.place}", each.hub)):
        target, bastion = targets[name], bastion_id(hub).lower()
        host = evaluation.host(evaluation.inventory.bastions[bastion])
        assert target.subnet is not None
        assert target.interface is not None
        if bastion not in near:
            near[bastion] = list(_groups(evaluation, host.network, host.subnet, Direction.OUTBOUND))
        if target.subnet.key not in far:
            far[target.subnet.key] = list(_groups(evaluation, target.network, target.subnet, Direction.INBOUND))
        groups = near[bastion] + far[target.subnet.key]
        own = evaluation.inventory.security_group(target.interface.network_security_group_id)
        if own is not None:
            groups.append((own, *groups[-1][1:]))
        for connection in ports:
            denied = AddressSet()
            for group, direction, meaning in groups:
                table = evaluation.rule_table(group, direction, connection.port, host, meaning)
                denied |= table.decide(target.addresses.lowest, meaning).denied
            yield connection, denied


_Group = tuple[SecurityGroup, Direction, TagMeaning]


def _groups(
    evaluation: Evaluation, network: VirtualNetwork | None, subnet: Subnet | None, direction: Direction
) -> Iterator[_Group]:
    """The group on a subnet, and what tags mean there; every subnet of this estate has one."""
    assert network is not None
    assert subnet is not None
    group = evaluation.inventory.security_group(subnet.network_security_group_id)
    assert group is not None
    yield group, direction, evaluation.plain_side(network, subnet).meaning


def _plain_seconds(by_id: dict[str, Row], sample: list[Connection], answers: dict[Connection, AddressSet]) -> float:
    """Seconds for one connection from all addresses of the Bastion. The prefixes are read before."""
    groups = {each: read_group(row) for each, row in by_id.items() if row["type"].endswith("/networksecuritygroups")}
    told: dict[Connection, set[int]] = {}
    spent = cpu_seconds(lambda: told.update((each, set(_plain_denied(by_id, groups, each))) for each in sample))
    for connection, denied in told.items():
        mine = {address for first, last in answers[connection].intervals for address in range(first, last + 1)}
        if mine != denied:
            raise AssertionError(f"{connection}: the plain evaluation denies {denied}, the engine {mine}")
    return spent / len(sample)


def _plain_denied(by_id: dict[str, Row], groups: dict[str, PlainGroup], connection: Connection) -> Iterator[int]:
    nic = by_id[interface_id(connection.network, connection.place)]["properties"]
    destination = ipaddress.IPv4Address(nic["ipConfigurations"][0]["properties"]["privateIPAddress"])
    inbound = [groups[subnet_group_id(connection.network)]]
    if "networkSecurityGroup" in nic:
        inbound.append(groups[nic["networkSecurityGroup"]["id"]])
    outbound = groups[subnet_group_id(connection.hub)]
    near, far = _spaces(by_id, connection.hub), _spaces(by_id, connection.network)
    for source in session_addresses(bastion_prefix(connection.hub)):
        out = decide(outbound, "Outbound", source, destination, connection.port, near)
        if not out or not all(decide(one, "Inbound", source, destination, connection.port, far) for one in inbound):
            yield int(source)


def _spaces(by_id: dict[str, Row], number: int) -> list[ipaddress.IPv4Network]:
    links = by_id[network_id(number)]["properties"]["virtualNetworkPeerings"]
    peers = [link["properties"]["remoteAddressSpace"]["addressPrefixes"][0] for link in links]
    return [ipaddress.IPv4Network(text) for text in (network_prefix(number), *peers)]


def _changes(inventory: Inventory, by_id: dict[str, Row]) -> tuple[float, int]:
    """The median of seconds from a changed row to the new verdicts, and how many VMs were judged without need, at most.

    The rules close a port and open it again, so that half of the changes make VMs fail, which takes longer: reasons are
    worked out for each.
    """
    standing = StandingVerdicts(inventory, protocols=PROTOCOLS)
    gc.collect()
    spent, judged = [], set()
    for number in (*range(1, CHANGES + 1), *range(1, CHANGES + 1)):
        row = by_id[subnet_group_id(number)] = deepcopy(by_id[subnet_group_id(number)])
        last = row["properties"]["securityRules"][-1]["properties"]
        last["access"] = "Deny" if last["access"] == "Allow" else "Allow"
        started = time.process_time()
        inventory = inventory.patched([row])
        turn = standing.update(inventory)
        spent.append(time.process_time() - started)
        touched = {verdict.vm for verdict in standing if f"/vm-{number}-" in verdict.vm}
        if {verdict.vm for verdict in turn.turned} != touched:
            raise AssertionError(f"{len(turn.turned)} verdicts turned by a change that touches {len(touched)} VMs")
        judged.add(turn.judged - len(touched))
    return median(spent), max(judged)
