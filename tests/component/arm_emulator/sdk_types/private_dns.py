"""Private DNS zones, their links and their record sets."""

from typing import Any

from tests.component.arm_emulator.sdk_types.row import Json, Row, inner, ref

ZONES = "Microsoft.Network/privateDnsZones"
GLOBAL = {"location": "global"}
FAR = ref("{net}/virtualNetworks/far{n}")


def record_set(kind: str, name: str, attribute: str, *, shown: Any, sent: Any) -> Row:
    """Record sets of a kind; `shown` at the path `attribute` is what `sent` as the property `name` comes back as."""
    body: Json = inner(ttl=60, **{name: sent})
    return Row(
        f"{ZONES}/{kind}",
        "dns.record_sets",
        body,
        {f"properties.{attribute}": shown, "properties.fqdn": "{name}.zone1."},
        inner(ttl=120),
        {"properties.ttl": 120},
        (inner(ttl=0), "BadRequest"),
        path=("{rg}", "zone1", kind, "{name}"),
        lists={"list_by_type": ("{rg}", "zone1", kind), "list": ("{rg}", "zone1")},
        patch="update",
        patched=(inner(metadata={"t": "u"}), {"properties.metadata": {"t": "u"}}),
        names=(f"{kind.lower()}1", f"{kind.lower()}2"),
        needs=("zone1",),
        missing="NotFound",
    )


PRIVATE_DNS = (
    Row(
        ZONES,
        "dns.private_zones",
        GLOBAL,
        {"location": "global", "properties.max_number_of_record_sets": 25000},
        {"tags": {"t": "v"}},
        {"tags": {"t": "v"}},
        ({"location": "westeurope"}, "InvalidResourceLocation"),
        lists={"list_by_resource_group": ("{rg}",), "list": ()},
        patch="begin_update",
        names=("one.internal", "two.internal"),
    ),
    Row(
        f"{ZONES}/virtualNetworkLinks",
        "dns.virtual_network_links",
        {**GLOBAL, **inner(virtualNetwork=FAR)},
        {"properties.virtual_network_link_state": "Completed", "properties.registration_enabled": False},
        inner(registrationEnabled=True),
        {"properties.registration_enabled": True},
        (inner(virtualNetwork=ref("{net}/virtualNetworks/none")), "InvalidResourceReference"),
        path=("{rg}", "zone1", "{name}"),
        lists={"list": ("{rg}", "zone1")},
        patch="begin_update",
        needs=("zone1", "far1", "far2"),
        missing="NotFound",
    ),
    record_set("A", "aRecords", "a_records.0.ipv4_address", shown="10.0.0.4", sent=[{"ipv4Address": "10.0.0.4"}]),
    record_set(
        "AAAA", "aaaaRecords", "aaaa_records.0.ipv6_address", shown="fd00::4", sent=[{"ipv6Address": "fd00::4"}]
    ),
    record_set("CNAME", "cnameRecord", "cname_record.cname", shown="a.b", sent={"cname": "a.b"}),
    record_set("MX", "mxRecords", "mx_records.0.exchange", shown="m", sent=[{"preference": 1, "exchange": "m"}]),
    record_set("PTR", "ptrRecords", "ptr_records.0.ptrdname", shown="p", sent=[{"ptrdname": "p"}]),
    record_set(
        "SRV",
        "srvRecords",
        "srv_records.0.target",
        shown="s",
        sent=[{"priority": 1, "weight": 1, "port": 443, "target": "s"}],
    ),
    record_set("TXT", "txtRecords", "txt_records.0.value", shown=["t"], sent=[{"value": ["t"]}]),
)
