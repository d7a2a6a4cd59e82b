"""Microsoft.Network/privateDnsZones: zones, their links to virtual networks, and record sets.

Rules: https://learn.microsoft.com/azure/dns/private-dns-overview and private-dns-virtual-network-links
"""

import re
from http import HTTPStatus

from arm_emulator.cloud import Cloud, id_of, items
from arm_emulator.errors import ArmError, Json, bad_request, conflict, invalid_format
from arm_emulator.operations import Timing
from arm_emulator.resource_types.base import IMMEDIATE, Put, ResourceType, Statuses
from arm_emulator.resource_types.bodies import choice, default, missing
from arm_emulator.resource_types.pointers import Pointer, Pointing
from arm_emulator.resource_types.virtual_networks import DNS_LINKED
from arm_emulator.store import Resource, resource

ZONES = "Microsoft.Network/privateDnsZones"
LINKS = f"{ZONES}/virtualNetworkLinks"
NETWORKS = "Microsoft.Network/virtualNetworks"
RECORD_TYPES = ("A", "AAAA", "CNAME", "MX", "PTR", "SOA", "SRV", "TXT")
ONE_RECORD = ("cnameRecord", "soaRecord")
LONGEST_TTL = 2**31 - 1
MOST_LABELS = 34
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|$)){4}(?<!\.)")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_LIMITS = {
    "maxNumberOfRecordSets": 25000,
    "maxNumberOfVirtualNetworkLinks": 1000,
    "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
}
_SOA = {
    "email": "azureprivatedns-host.microsoft.com",
    "expireTime": 2419200,
    "host": "azureprivatedns.net",
    "minimumTtl": 10,
    "refreshTime": 3600,
    "retryTime": 300,
    "serialNumber": 1,
}
MEMBERS = ("id", "name", "type", "etag", "location", "tags", "properties")


class PrivateDnsZones(ResourceType):
    """Always in `global`; PUT is answered with 202, a SOA record comes along, and links keep it from being deleted."""

    name = ZONES
    own_etag = True
    members = MEMBERS
    names = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")
    statuses = Statuses(created=HTTPStatus.ACCEPTED, updated=HTTPStatus.ACCEPTED)
    create = Timing(20, (30,))
    delete = Timing(20, (30,))
    read_only = frozenset({"provisioningState", "internalId", "numberOfRecordSets", "numberOfVirtualNetworkLinks",
                           "numberOfVirtualNetworkLinksWithRegistration", *_LIMITS})  # fmt: skip
    below = {"all": tuple(f"{ZONES}/{kind}" for kind in RECORD_TYPES)}  # noqa: RUF012  (declared ClassVar by the base)
    merges_patch = True

    def prepare(self, put: Put) -> None:
        _check_global(put)
        if put.id.name.count(".") > MOST_LABELS - 1:
            raise bad_request("BadRequest", f"The zone name '{put.id.name}' has more than {MOST_LABELS} labels.")

    def committed(self, cloud: Cloud, item: Resource, put: Put) -> None:
        soa = item.id.child("SOA", "@")
        if cloud.store.get(soa.key) is None:
            record = resource(soa, {"properties": {"ttl": 3600, "soaRecord": dict(_SOA)}})
            record.etag = item.etag
            cloud.store.put(record)

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        links = cloud.store.children(item.key, LINKS)
        records = [one for one in cloud.store.descendants(item.key) if one.id.type != LINKS]
        return {
            **_LIMITS,
            "numberOfRecordSets": max(1, len(records)),
            "numberOfVirtualNetworkLinks": len(links),
            "numberOfVirtualNetworkLinksWithRegistration": sum(
                bool(link.properties.get("registrationEnabled")) for link in links
            ),
        }

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        links = cloud.store.children(item.key, LINKS)
        if links:
            raise conflict(
                "CannotDeleteResource",
                "Cannot delete resource while nested resources exist. Some existing nested resource IDs include: '"
                + ", ".join(f"{ZONES}/{item.name}/virtualNetworkLinks/{link.name}" for link in links)
                + "'. Please delete all nested resources before deleting this resource.",
            )


class VirtualNetworkLinks(Pointing):
    """InProgress until its operation has ended, then Completed; one zone of a name and one with registration a network."""

    name = LINKS
    own_etag = True
    members = MEMBERS
    statuses = Statuses(created=HTTPStatus.ACCEPTED, updated=HTTPStatus.ACCEPTED)
    create = Timing(20, (30,))
    delete = Timing(20, (30,))
    read_only = frozenset({"provisioningState", "virtualNetworkLinkState"})
    merges_patch = True
    pointers = (Pointer("virtualNetwork", DNS_LINKED, NETWORKS, f"{NETWORKS}/join/action", required=True),)

    def prepare(self, put: Put) -> None:
        _check_global(put)
        default(put.properties, registrationEnabled=False)
        if "resolutionPolicy" in put.properties:
            choice(put.properties, "resolutionPolicy", ("Default", "NxDomainRedirect"))
        super().prepare(put)
        network = put.cloud.find(id_of(put.properties["virtualNetwork"]))
        assert network is not None, "its pointer is required"
        if put.old is not None and str(id_of(put.before.get("virtualNetwork"))).lower() != network.key:
            raise conflict("Conflict", f"The virtual network of link '{put.id.name}' cannot be changed.")
        self._refuse_second(put, network)
        put.properties["virtualNetworkLinkState"] = put.before.get("virtualNetworkLinkState", "InProgress")

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        return {"virtualNetworkLinkState": "Completed" if item.state == "Succeeded" else "InProgress"}

    def _refuse_second(self, put: Put, network: Resource) -> None:
        zone = put.id.root
        for reference in put.cloud.store.referrers(network.key, DNS_LINKED):
            other = put.cloud.store.get(reference.source)
            if other is None or other.key == put.id.key:
                continue
            if other.id.root.name.lower() == zone.name.lower():
                raise conflict(
                    "Conflict",
                    "A virtual network cannot be linked to multiple zones with overlapping namespaces. You tried to link "
                    f"virtual network with '{zone.name}' and '{other.id.root.name}' zones.",
                )
            if put.properties["registrationEnabled"] and other.properties.get("registrationEnabled"):
                raise conflict(
                    "Conflict",
                    "A virtual network can only be linked to 1 Private DNS zone(s) with auto-registration enabled; "
                    f"conflicting Private DNS zone is '{other.id.root.name}'.",
                )


class _RecordSets(ResourceType):
    """Record sets of one type: written and deleted at once, each with an etag of its own."""

    tracked = False
    own_etag = True
    members = MEMBERS
    has_state = False
    names = re.compile(rf"@|(?=.{{1,253}}$)(?:\*|{_LABEL})(?:\.{_LABEL})*")
    envelope = frozenset({"properties"})
    read_only = frozenset({"fqdn", "isAutoRegistered"})
    create = update = delete = IMMEDIATE
    merges_patch = True

    def __init__(self, kind: str, member: str) -> None:
        """`kind` is the record type in upper case, `member` the property that holds the records."""
        self.name = f"{ZONES}/{kind}"
        self.member = member

    def prepare(self, put: Put) -> None:
        default(put.properties, ttl=3600)
        ttl = put.properties["ttl"]
        if not isinstance(ttl, int) or not 1 <= ttl <= LONGEST_TTL:
            raise bad_request(
                "BadRequest", f"The TTL '{ttl}' of record set '{put.id.name}' is not from 1 to {LONGEST_TTL}."
            )
        records = put.properties.get(self.member)
        if records is None:
            raise missing(self.member, put.id)
        expected = dict if self.member in ONE_RECORD else list
        if not isinstance(records, expected):
            raise invalid_format(f"Error converting value '{records}'.", f"properties.{self.member}")
        zone = put.cloud.store.get(put.id.root.key)
        if zone is not None and put.old is None:
            _refuse_beside_cname(put, zone)

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        zone = item.id.root.name
        return {"fqdn": f"{zone}." if item.name == "@" else f"{item.name}.{zone}.", "isAutoRegistered": False}


class ARecords(_RecordSets):
    """IPv4 addresses of a name."""

    def prepare(self, put: Put) -> None:
        super().prepare(put)
        for record in items(put.properties, self.member):
            if not _IPV4.fullmatch(str(record.get("ipv4Address", ""))):
                raise bad_request("BadRequest", f"The IPv4 address '{record.get('ipv4Address')}' is not valid.")


class SoaRecords(_RecordSets):
    """The zone's own record set, which is there as long as the zone."""

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        raise bad_request("BadRequest", f"The SOA record set of zone '{item.id.root.name}' cannot be deleted.")


RECORD_SETS = (
    ARecords("A", "aRecords"),
    _RecordSets("AAAA", "aaaaRecords"),
    _RecordSets("CNAME", "cnameRecord"),
    _RecordSets("MX", "mxRecords"),
    _RecordSets("PTR", "ptrRecords"),
    SoaRecords("SOA", "soaRecord"),
    _RecordSets("SRV", "srvRecords"),
    _RecordSets("TXT", "txtRecords"),
)


def _check_global(put: Put) -> None:
    if put.location != "global":
        raise ArmError(
            HTTPStatus.BAD_REQUEST,
            "LocationNotAvailableForResourceType",
            f"The provided location '{put.location}' is not available for resource type '{put.id.type}'. List of available "
            "regions for the resource type is 'global'.",
        )


def _refuse_beside_cname(put: Put, zone: Resource) -> None:
    """A name with an alias has nothing else."""
    for other in RECORD_SETS:
        taken = put.cloud.store.get(zone.id.child(other.name.rpartition("/")[2], put.id.name).key)
        if taken is not None and taken.id.type != put.id.type and f"{ZONES}/CNAME" in (taken.id.type, put.id.type):
            raise bad_request(
                "CnameRecordSetConflict" if put.id.type == f"{ZONES}/CNAME" else "RecordSetConflictsWithCname",
                f"The record set '{put.id.name}' cannot stand beside {taken.id} in the same zone.",
            )
