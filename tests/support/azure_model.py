"""Azure as a plan sees it, in its smallest form and without I/O: what a PUT keeps and drops, what a peering's state does.

No oracle of Azure, but of the rules that every plan must respect: a full PUT drops what it does not carry, a Disconnected
half refuses a PUT, a stale etag is refused, two rules never share a priority, and nothing in use is deleted.
"""

import copy
from typing import Any

from bastion_operator.network.prefixes import overlaps
from bastion_operator.planning.model import SYNC_REMOTE_ADDRESS_SPACE, Change, Observed, Verb

Json = dict[str, Any]
RULES_OF_BASTION = 8


class RefusedError(Exception):
    """Azure's answer to a request that a plan should not have made."""


class StaleError(Exception):
    """412: the resource is another than the one that the plan was made on."""


class ClosedWorld(Observed):
    """What was not found was looked for: nothing is unread."""

    def looked_at(self, resource_id: str) -> bool:
        return True


class AzureModel:
    """Resources by lower-cased id; subnets and peerings are inside their network's body."""

    def __init__(self, rows: list[Json]) -> None:
        self._rows: dict[str, Json] = {}
        self._version = 0
        for row in rows:
            self._rows[row["id"].lower()] = copy.deepcopy(row)
            self._touch(row["id"].lower())

    def observed(self) -> Observed:
        """Everything, as a GET of each resource would answer; what is not there was looked for as well."""
        return ClosedWorld({key: self._rendered(row) for key, row in self._rows.items()})

    def rows(self) -> dict[str, Json]:
        return copy.deepcopy(self._rows)

    def tag(self, network_id: str, tags: Json) -> None:
        """Somebody gives the network other tags."""
        self._rows[network_id.lower()]["tags"] = dict(tags)
        self._touch(network_id.lower())

    def joined(self, one: str, other: str) -> bool:
        """Whether both halves between the networks read Connected."""
        halves = (self._half(one.lower(), other.lower()), self._half(other.lower(), one.lower()))
        return all(each is not None and each["properties"]["peeringState"] == "Connected" for each in halves)

    def use_gateway(self, user: str, lender: str) -> None:
        """Somebody lets a joined network use the gateway of the other."""
        lent, used = self._half(lender.lower(), user.lower()), self._half(user.lower(), lender.lower())
        assert lent is not None
        assert used is not None
        lent["properties"]["allowGatewayTransit"] = used["properties"]["useRemoteGateways"] = True

    def ids(self) -> set[str]:
        """The ids of everything that stands, children included."""
        found = set(self._rows)
        for key, row in self._rows.items():
            for kind in ("subnets", "virtualNetworkPeerings", "securityRules"):
                found |= {f"{key}/{kind}/{one['name']}".lower() for one in row["properties"].get(kind, [])}
        return found

    def apply(self, change: Change) -> None:
        """Do what the request asks. Raises RefusedError or StaleError."""
        key = change.resource_id.lower()
        root = change.root_id.lower()
        if change.if_match is not None and change.if_match != self._rows[root]["etag"]:
            raise StaleError(change.resource_id)
        if "/virtualnetworkpeerings/" in key:
            self._peering(change, root)
        elif "/subnets/" in key:
            self._subnet(change, root)
        elif "/securityrules/" in key:
            self._rule(change, root)
        elif change.verb is Verb.DELETE:
            self._delete(key)
        else:
            self._put(key, change)

    # -- peerings ------------------------------------------------------------------------------------------------

    def _peering(self, change: Change, root: str) -> None:
        network = self._rows[root]
        links = network["properties"].setdefault("virtualNetworkPeerings", [])
        name = change.resource_id.rsplit("/", 1)[1]
        old = next((link for link in links if link["name"].lower() == name.lower()), None)
        if change.verb is Verb.DELETE:
            assert old is not None, "a plan deletes what is there"
            links.remove(old)
            other = self._half(self._remote(old), root)
            if other is not None:
                other["properties"]["peeringState"] = "Disconnected"
                self._touch(self._remote(old))
        else:
            assert change.body is not None
            self._put_peering(root, name, old, {**copy.deepcopy(dict(change.body)), "query": change.query})
        self._touch(root)

    def _put_peering(self, root: str, name: str, old: Json | None, body: Json) -> None:
        links = self._rows[root]["properties"]["virtualNetworkPeerings"]
        remote = self._remote(body)
        if remote not in self._rows:
            raise RefusedError("InvalidResourceReference")
        other = self._half(remote, root)
        for half in (old, other):
            if half is not None and half["properties"]["peeringState"] == "Disconnected":
                raise RefusedError("RemotePeeringIsDisconnected")
        if old is not None and self._remote(old) != remote:
            raise RefusedError("RemoteVnetOfPeeringCannotBeChanged")
        if old is None and self._half(root, remote) is not None:
            raise RefusedError("AnotherPeeringAlreadyReferencesRemoteVnet")
        self._refuse_overlap(root, remote)
        self._refuse_overlap(remote, root)
        lent = other is not None and other["properties"].get("allowGatewayTransit")
        if body["properties"].get("useRemoteGateways") and not lent:
            raise RefusedError("RemotePeeringDoesNotAllowGatewayTransit")
        self._commit_peering(links, name, old, body, other, remote)

    def _commit_peering(
        self, links: list[Json], name: str, old: Json | None, body: Json, other: Json | None, remote: str
    ) -> None:
        known = (old or {}).get("properties", {}).get("remoteAddressSpace")
        if known is None or body.pop("query").get(SYNC_REMOTE_ADDRESS_SPACE) == "true":
            known = {"addressPrefixes": list(self._space(remote))}
        body.pop("query", None)
        state = {
            "provisioningState": "Succeeded",
            "peeringState": "Initiated" if other is None else "Connected",
            "remoteAddressSpace": known,
        }
        link = {"name": name, **body, "properties": {**body["properties"], **state}}
        if old is None:
            links.append(link)
        else:
            links[links.index(old)] = link
        if other is not None:
            other["properties"]["peeringState"] = "Connected"
            self._touch(remote)

    def _refuse_overlap(self, middle: str, new: str) -> None:
        peers = {self._remote(link) for link in self._links(middle)} | {middle}
        for peer in peers - {new}:
            if overlaps(self._space(peer), self._space(new)):
                raise RefusedError(f"VnetAddressSpacesOverlap {peer} {new}")

    def _links(self, network: str) -> list[Json]:
        row = self._rows.get(network)
        return [] if row is None else row["properties"].get("virtualNetworkPeerings", [])

    def _half(self, network: str, towards: str) -> Json | None:
        return next((link for link in self._links(network) if self._remote(link) == towards), None)

    @staticmethod
    def _remote(link: Json) -> str:
        return str(link["properties"]["remoteVirtualNetwork"]["id"]).lower()

    def _space(self, network: str) -> list[str]:
        row = self._rows.get(network)
        return [] if row is None else row["properties"]["addressSpace"]["addressPrefixes"]

    # -- a Bastion and its parts ---------------------------------------------------------------------------------

    def _subnet(self, change: Change, root: str) -> None:
        subnets = self._rows[root]["properties"].setdefault("subnets", [])
        name = change.resource_id.rsplit("/", 1)[1]
        old = next((one for one in subnets if one["name"].lower() == name.lower()), None)
        if change.verb is Verb.DELETE:
            assert old is not None, "a plan deletes what is there"
            if self._users(change.resource_id.lower()):
                raise RefusedError("InUseSubnetCannotBeDeleted")
            subnets.remove(old)
        else:
            assert change.body is not None
            body = copy.deepcopy(dict(change.body))
            self._check_association(body)
            if old is None:
                self._refuse_prefix(subnets, body, root)
                subnets.append({"name": name, **body})
            else:
                assert body["properties"]["addressPrefix"] == old["properties"]["addressPrefix"]
                body["properties"].pop("ipConfigurations", None)
                subnets[subnets.index(old)] = {**body, "name": name}
        self._touch(root)

    def _refuse_prefix(self, subnets: list[Json], body: Json, root: str) -> None:
        prefix = body["properties"]["addressPrefix"]
        taken = [one["properties"]["addressPrefix"] for one in subnets]
        if overlaps([prefix], taken) or not overlaps([prefix], self._space(root)):
            raise RefusedError("NetcfgSubnetRangesOverlap")

    def _check_association(self, body: Json) -> None:
        reference = body["properties"].get("networkSecurityGroup")
        if reference is not None:
            group = self._rows.get(str(reference["id"]).lower())
            if group is None:
                raise RefusedError("InvalidResourceReference")
            if len(group["properties"]["securityRules"]) < RULES_OF_BASTION:
                raise RefusedError("NetworkSecurityGroupNotCompliantForAzureBastionSubnet")

    # -- security rules ------------------------------------------------------------------------------------------

    def _rule(self, change: Change, root: str) -> None:
        rules = self._rows[root]["properties"].setdefault("securityRules", [])
        name = change.resource_id.rsplit("/", 1)[1]
        old = next((one for one in rules if one["name"].lower() == name.lower()), None)
        if change.verb is Verb.DELETE:
            assert old is not None, "a plan deletes what is there"
            rules.remove(old)
        else:
            assert change.body is not None
            rule = {"id": change.resource_id, "name": name, **copy.deepcopy(dict(change.body))}
            slot = _slot(rule)
            if any(one is not old and _slot(one) == slot for one in rules):
                raise RefusedError("SecurityRuleConflict")
            if old is None:
                rules.append(rule)
            else:
                rules[rules.index(old)] = rule
        self._touch(root)

    def _group_users(self, key: str) -> list[str]:
        return [
            f"{network}/subnets/{subnet['name']}".lower()
            for network, row in self._rows.items()
            for subnet in row["properties"].get("subnets", [])
            if str((subnet["properties"].get("networkSecurityGroup") or {}).get("id", "")).lower() == key
        ]

    def _put(self, key: str, change: Change) -> None:
        assert change.body is not None
        body = copy.deepcopy(dict(change.body))
        if "/bastionhosts/" in key:
            self._check_host(key, body)
        body["properties"]["provisioningState"] = "Succeeded"
        # Read-only: what a body that was read says of its users is passed over.
        body["properties"].pop("ipConfiguration", None)
        if "/networksecuritygroups/" in key:
            body["properties"].pop("subnets", None)
        self._rows[key] = {**body, "id": change.resource_id, "name": change.resource_id.rsplit("/", 1)[1]}
        self._touch(key)

    def _check_host(self, key: str, body: Json) -> None:
        developer = body["sku"]["name"] == "Developer"
        configurations = body["properties"].get("ipConfigurations") or []
        if developer != (not configurations):
            raise RefusedError("ipConfigurations do not fit the SKU")
        for one in configurations:
            for reference in one["properties"].values():
                target = str(reference["id"]).lower() if isinstance(reference, dict) else None
                if target is not None and (target not in self.ids() or self._users(target) - {key}):
                    raise RefusedError(f"InvalidResourceReference {target}")
        old = self._rows.get(key)
        if old is not None and old["sku"]["name"] != "Developer" and old.get("zones") != body.get("zones"):
            raise RefusedError("BastionUpdateNotSupported")

    def _delete(self, key: str) -> None:
        if self._users(key):
            raise RefusedError("PublicIPAddressCannotBeDeleted")
        if "/networksecuritygroups/" in key and self._group_users(key):
            raise RefusedError("InUseNetworkSecurityGroupCannotBeDeleted")
        del self._rows[key]

    def _users(self, target: str) -> set[str]:
        """The hosts whose IP configuration refers to a subnet or public IP."""
        return {
            key
            for key, row in self._rows.items()
            for one in (row["properties"].get("ipConfigurations") or []) * ("/bastionhosts/" in key)
            for reference in one["properties"].values()
            if isinstance(reference, dict) and str(reference["id"]).lower() == target
        }

    # -- answers -------------------------------------------------------------------------------------------------

    def _touch(self, key: str) -> None:
        if key in self._rows:
            self._version += 1
            self._rows[key]["etag"] = f'W/"{self._version}"'

    def _rendered(self, row: Json) -> Json:
        body = copy.deepcopy(row)
        key = body["id"].lower()
        for link in body["properties"].get("virtualNetworkPeerings", []):
            link["etag"] = body["etag"]
            if self._remote(link) in self._rows:
                live = {"addressPrefixes": list(self._space(self._remote(link)))}
                link["properties"]["remoteVirtualNetworkAddressSpace"] = live
        for subnet in body["properties"].get("subnets", []):
            subnet["etag"] = body["etag"]
            users = self._users(f"{key}/subnets/{subnet['name']}".lower())
            subnet["properties"]["ipConfigurations"] = [
                *subnet["properties"].get("ipConfigurations", []),
                *({"id": f"{user}/bastionHostIpConfigurations/IpConf"} for user in sorted(users)),
            ]
        if "/networksecuritygroups/" in key:
            for rule in body["properties"].get("securityRules", []):
                rule["etag"] = body["etag"]
            if on := self._group_users(key):
                body["properties"]["subnets"] = [{"id": each} for each in on]
        if "/publicipaddresses/" in key and (users := self._users(key)):
            body["properties"]["ipConfiguration"] = {"id": f"{min(users)}/bastionHostIpConfigurations/IpConf"}
        return body


def _slot(rule: Json) -> tuple[str, int]:
    return rule["properties"]["direction"], rule["properties"]["priority"]
