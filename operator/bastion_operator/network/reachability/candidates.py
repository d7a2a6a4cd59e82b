"""Which Bastions come into question for a VM, and how each lies to it."""

from bastion_operator.network.bastion_host import BastionHost
from bastion_operator.network.reachability.evaluation import Evaluation
from bastion_operator.network.reachability.host import Host
from bastion_operator.network.reachability.ip_connect import as_a_path, route_to
from bastion_operator.network.reachability.path import Path, Topology, find_pair, find_path, target_tenant, with_route
from bastion_operator.network.reachability.target import Target


def candidate_bastions(evaluation: Evaluation, target: Target) -> tuple[BastionHost, ...]:
    """Bastions in the VM's VNet, in VNets with a peering link to or from it, and in those that a virtual WAN or a network
    manager connects with it; only if there are none, one VNet further. Bastions of which it is not known whether they are
    near come into question as well.
    """
    key = target.network_key
    return () if key is None else evaluation.once(("candidates", key), lambda: _candidates(evaluation, key))


def _candidates(evaluation: Evaluation, key: str) -> tuple[BastionHost, ...]:
    near = evaluation.neighbours.get(key, frozenset())
    keys = {key, *near, *evaluation.wan_mates(key), *evaluation.group_mates(key)}
    if not _in_networks(evaluation, keys):
        further = {next_key for neighbour in near for next_key in evaluation.neighbours.get(neighbour, ())}
        keys = further - near - {key}
    return (*_in_networks(evaluation, keys | _perhaps_near(evaluation, key)), *evaluation.bastions_anywhere)


def _perhaps_near(evaluation: Evaluation, key: str) -> set[str]:
    """Keys of the VNets with a Bastion whose peering with this one neither of the two tells or denies."""
    silent = evaluation.silent_networks
    if key not in silent:
        return set()
    known = evaluation.inventory.virtual_networks
    return {other for other in evaluation.bastions_by_network if other in silent or other not in known}


def _in_networks(evaluation: Evaluation, keys: set[str]) -> tuple[BastionHost, ...]:
    return tuple(bastion for key in sorted(keys) for bastion in evaluation.bastions_by_network.get(key, ()))


def path_between(evaluation: Evaluation, host: Host, target: Target) -> Path:
    """The path between the two; shared by all VMs of a subnet and tenant whose addresses the Bastion's link knows alike."""
    ends = (host.bastion.key, target.network_key)
    pair = evaluation.once(("pair", *ends), lambda: find_pair(host, target))
    space = pair.near.remote_address_space if pair.near is not None else None
    known = space is None or target.addresses <= space.addresses
    if target.subnet is None or not target.addresses or not known:
        path = find_path(host, target, _between(evaluation, host, target))
    else:
        key = ("path", host.bastion.key, target.subnet.key, target_tenant(target))
        path = evaluation.once(key, lambda: find_path(host, target, _between(evaluation, host, target)))
    if path.topology is not Topology.APART:
        return path
    return with_route(path, as_a_path(host, route_to(evaluation.inventory, host, target)))


def _between(evaluation: Evaluation, host: Host, target: Target) -> str | None:
    """The name of a VNet that both are peered with, the first by id."""
    sides = (host.network_key or "", target.network_key or "")
    ours, theirs = (evaluation.neighbours.get(key, frozenset()) for key in sides)
    key = min(ours & theirs, default=None)
    if key is None:
        return None
    network = evaluation.inventory.virtual_networks.get(key)
    return key.rpartition("/")[2] if network is None else network.name
