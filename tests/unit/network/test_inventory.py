from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bastion_operator.network.inventory import Inventory
from bastion_operator.network.peering import PairState, pair_links
from bastion_operator.network.reachability import judge_all
from bastion_operator.network.resource_types import (
    EFFECTIVE_RULES,
    GRAPH_TABLES,
    HUB_CONNECTIONS,
    HUB_ROUTE_TABLES,
    JIT_POLICIES,
    PRIVATE_ZONE_LINKS,
    ROUTING_INTENTS,
)
from bastion_operator.network.virtual_machine import OperatingSystem
from tests.support.estates import (
    Estate,
    add,
    admin_rule,
    bastion_id,
    change,
    connected_group,
    gateway,
    hub,
    hub_and_spoke,
    hub_connection,
    hub_route_table,
    jit_policy,
    nsg_id,
    private_zone_link,
    ref,
    route,
    route_table,
    routing_intent,
    rule,
    same_vnet,
    scale_set,
    security_admin,
    site,
    subnet_id,
    vm_id,
    vnet_id,
    with_nsg,
    with_routes,
)


def test_resources_are_found_by_id_in_any_case() -> None:
    inventory = Inventory.from_rows(hub_and_spoke())
    for spelled in (str.upper, str.lower, str):
        assert inventory.bastion(spelled(bastion_id("bas"))) is not None
        assert inventory.subnet(spelled(subnet_id("hub", "AzureBastionSubnet"))) is not None
        assert inventory.row(spelled(vnet_id("hub"))) is not None
    assert inventory.row(vnet_id("nowhere")) is None
    assert inventory.bastion(None) is None


def test_children_that_come_as_rows_of_their_own_join_their_parent() -> None:
    rows = with_nsg(hub_and_spoke(), "subnet", rule("no", 100, "Deny"))
    for one in rows:
        for field, kind in (
            ("subnets", "subnets"),
            ("virtualNetworkPeerings", "virtualNetworkPeerings"),
            ("securityRules", "securityRules"),
        ):
            children = one["properties"].pop(field, [])
            rows.extend(child | {"type": f"{one['type']}/{kind}"} for child in children)
    inventory = Inventory.from_rows(rows)
    hub, spoke = inventory.virtual_network(vnet_id("hub")), inventory.virtual_network(vnet_id("spoke"))
    assert hub is not None
    assert spoke is not None
    assert [subnet.name for subnet in hub.subnets] == ["AzureBastionSubnet", "workload"]
    assert pair_links(hub.id, hub.links, spoke.id, spoke.links).state is PairState.CONNECTED
    group = inventory.security_group(nsg_id("guard"))
    assert group is not None
    assert group.rules is not None
    assert [one.name for one in group.rules] == ["no"]
    assert [verdict.verdict for verdict in judge_all(inventory)] == ["Unreachable"]


def test_of_two_rows_with_one_id_the_later_counts_and_unknown_types_are_kept() -> None:
    rows = [*same_vnet(), change(same_vnet(), "web", "properties.storageProfile.osDisk.osType", "Windows")[-1]]
    rows.append({"id": "/subscriptions/s/resourceGroups/g/providers/Contoso.Things/widgets/w", "properties": {}})
    inventory = Inventory.from_rows(rows)
    machine = inventory.virtual_machine(vm_id("web"))
    assert machine is not None
    assert machine.operating_system is OperatingSystem.WINDOWS
    assert list(inventory.rows("Contoso.Things/Widgets"))


@pytest.mark.parametrize(
    ("view", "word"),
    [
        ({"extended": {"instanceView": {"powerState": {"code": "PowerState/running"}}}}, "running"),
        ({"instanceView": {"statuses": [{"code": "ProvisioningState/succeeded"}, {"code": "PowerState/deallocated"}]}}, "deallocated"),
        ({"extended": {"instanceView": {"powerState": {"code": "PowerState/unknown"}}}}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_the_power_state_is_read_where_azure_puts_it(view: dict[str, Any], word: str | None) -> None:
    machine = Inventory.from_rows([{"id": vm_id("web"), "properties": view}]).virtual_machine(vm_id("web"))
    assert machine is not None
    assert machine.power_state == word


def test_steps_whose_resources_were_not_asked_for_say_that_they_did_not_look() -> None:
    def not_looked_at(inventory: Inventory) -> set[str]:
        [verdict] = judge_all(inventory)
        told = (warning.message for warning in verdict.warnings if warning.code == "NotLookedAt")
        return {message.partition(",")[0] for message in told if message.startswith("step")}

    rows = hub_and_spoke()
    assert not_looked_at(Inventory.from_rows(rows)) == set()
    listed = (HUB_CONNECTIONS, HUB_ROUTE_TABLES, ROUTING_INTENTS, JIT_POLICIES)
    everything = (*(kind for kinds in GRAPH_TABLES.values() for kind in kinds), *listed)
    assert not_looked_at(Inventory.from_rows(rows, everything)) == set()
    some = (kind for kind in everything if kind not in {PRIVATE_ZONE_LINKS, HUB_CONNECTIONS, EFFECTIVE_RULES})
    assert not_looked_at(Inventory.from_rows(rows, some)) == {"step 5", "step 6", "step 12", "step 14"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in children for place in places(child, (*path, key)))]


def estate_of_everything(*, peered: bool) -> Estate:
    """Every type of row that is read, with rules, routes and peerings in them."""
    estate = hub_and_spoke(enableIpConnect=True)
    if not peered:
        estate = change(estate, "hub", "properties.virtualNetworkPeerings", [])
        estate = change(estate, "spoke", "properties.virtualNetworkPeerings", [])
    guard = [rule("a", 100, "Deny", ports=["22", "80-90"]), rule("b", 110, "Allow", source=["10.0.1.0/26", "Internet"])]
    estate = with_nsg(with_routes(estate, "bastion", route("r", "0.0.0.0/0", "Internet")), "bastion", *guard)
    table = route_table("back", route("r", "10.0.1.0/27", "VirtualAppliance", "10.1.9.4"))
    estate = change(estate, "spoke", "properties.subnets.0.properties.routeTable", ref(table["id"]))
    machines = scale_set("fleet", "spoke", "workload", nsg="guard")
    wan = [hub("east"), hub_connection("east", "hub"), hub_connection("east", "spoke", enableInternetSecurity=True)]
    wan += [hub_route_table("east", "defaultRouteTable", routes=["0.0.0.0/0"]), routing_intent("east", "Internet")]
    admin = security_admin(
        "spoke", admin_rule("deny", 10, "Deny"), admin_rule("always", 5, "AlwaysAllow", source="Internet")
    )
    rest = [
        gateway("vpn", "hub"),
        *site("branch", "vpn", "10.9.0.0/16"),
        jit_policy("web"),
        private_zone_link("azure.com", "hub"),
    ]
    return add(estate, table, *machines, *wan, *admin, *connected_group("hub", "spoke"), *rest)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_nothing_that_a_row_holds_raises_out_of_the_engine(data: st.DataObject) -> None:
    rows: Any = estate_of_everything(peered=data.draw(st.booleans()))
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(places(rows)[1:]))
        holder = rows
        for key in way:
            holder = holder[key]
        holder[last] = data.draw(JSON)
    for verdict in judge_all(Inventory.from_rows(rows)):
        assert verdict.verdict in {"Reachable", "Unreachable", "Unknown"}
