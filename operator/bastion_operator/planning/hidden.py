"""VMs that Azure does not show any more: the graph drops what an identity may not read, without an error.

They are known from the reports that stand. Each stays there as Unknown, with the right that is missing: a lost role must
not look like VMs that are gone, and it says nothing of the others.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from bastion_operator.api.bastion_host import BastionHostSpec, TargetScope
from bastion_operator.api.reachability_report import ReportRow
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.codes import finding
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability.verdict import Protocol, Reachability, Verdict
from bastion_operator.planning.targets import target_networks

Stored = Iterable[tuple[str, ReportRow]]
"""Rows of reports, each with the ARM id of the virtual network under which it stands."""


def hidden_subscriptions(inventory: Inventory) -> frozenset[str]:
    """The subscriptions of which Azure showed nothing in just this inventory, in lower case.

    A reading that ends while an inventory is made may see others: of rows that are shown nothing must be said to be hidden.
    """
    return frozenset(
        subscription_of(each) for each in inventory.refused if each == f"/subscriptions/{subscription_of(each)}"
    )


def hidden_from(inventory: Inventory, spec: BastionHostSpec, hidden: Iterable[str]) -> frozenset[str]:
    """Those of the subscriptions in which VMs that the spec asks for may lie."""
    every = frozenset(each.lower() for each in hidden)
    if spec.targets.scope is TargetScope.ALL:
        return every
    networks = {normalise_id(spec.virtual_network_id)}
    if spec.targets.scope is TargetScope.DEFAULT:
        networks |= target_networks(inventory, spec.virtual_network_id)
    return every & {subscription_of(network) for network in networks}


def hidden_verdicts(stored: Stored, hidden: frozenset[str], identity: str) -> Mapping[str, list[Verdict]]:
    """What is said of the VMs in these subscriptions that the reports know, by the network under which they stand."""
    found: dict[str, list[Verdict]] = defaultdict(list)
    for network, row in stored:
        subscription = subscription_of(row.vm)
        if subscription in hidden:
            found[network].append(_unseen(row, subscription, identity))
    return found


def subscription_of(resource_id: str) -> str:
    """The subscription's id in lower case, empty for an id that has none."""
    parts = normalise_id(resource_id).split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "subscriptions" else ""  # noqa: PLR2004 - /subscriptions/{id}


def _unseen(row: ReportRow, subscription: str, identity: str) -> Verdict:
    name = row.vm.rstrip("/").rpartition("/")[2]
    message = (
        f"Resource Graph shows AzureIdentity {identity} nothing of subscription {subscription}, in which {name} was: grant it "
        "Reader there"
    )
    reason = finding("PermissionDenied", message, resource=f"/subscriptions/{subscription}")
    return Verdict(
        vm=row.vm,
        vm_name=name,
        protocol=Protocol(row.protocol),
        port=row.port,
        verdict=Reachability.UNKNOWN,
        bastion=None,
        via=None,
        methods=(),
        reasons=(reason,),
        warnings=(),
        candidates=(),
    )
