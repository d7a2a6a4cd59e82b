"""Azure Resource Manager without a network: the emulator's own service, with a clock that tests turn by hand."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson

from arm_emulator import starting_rights
from arm_emulator.arm_service import ArmService
from arm_emulator.clock import Clock
from arm_emulator.cloud import Cloud, Settings
from arm_emulator.errors import ArmError
from arm_emulator.estate import load_rows
from arm_emulator.graph.service import GraphService
from arm_emulator.graph.view import GraphView
from arm_emulator.messages import Answer, Request
from arm_emulator.operations import Operations
from arm_emulator.principals import Principal, default_principals
from arm_emulator.resource_types import type_of
from arm_emulator.store import Store
from arm_emulator.throttling import Throttle

Json = dict[str, Any]
SUB = "00000000-0000-0000-0000-000000000001"
OTHER_SUB = "00000000-0000-0000-0000-000000000002"
ENDPOINT = "https://127.0.0.1:1"
NETWORK = "2026-03-01"
RG = f"/subscriptions/{SUB}/resourceGroups/rg"
NET = f"{RG}/providers/Microsoft.Network"
LONG = 3600.0


class Reply:
    """An answer, with headers that ignore case."""

    def __init__(self, answer: Answer) -> None:
        self.status = int(answer.status)
        self.body: Any = answer.body
        self.headers = {name.lower(): value for name, value in answer.headers.items()}
        self.raw = answer.raw

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])

    @property
    def message(self) -> str:
        return str(self.body["error"]["message"])

    @property
    def properties(self) -> Json:
        properties: Json = self.body["properties"]
        return properties


class Arm:
    """One Azure with a subscription or two and the resource group `rg`; time stands still unless told."""

    def __init__(
        self, *, estate: list[Json] | None = None, speed: float = 1, quota: int = 10, page: int = 1000
    ) -> None:
        self.now = 1_800_000_000.0
        self.clock = Clock(speed, wall=lambda: self.now)
        settings = Settings("tenant", public_ip_quota=quota, page_size=page)
        store = Store(lambda item: type_of(item.id.type).references(item))
        self.cloud = Cloud(self.clock, store, Operations(self.clock, b"secret"), settings)
        self.view = GraphView(self.cloud)
        self.principals = {
            one.name: one for one in default_principals(dict.fromkeys(("operator", "somebody", "reader"), "x"))
        }
        groups = [
            {"id": f"/subscriptions/{sub}/resourceGroups/rg", "location": "westeurope"} for sub in (SUB, OTHER_SUB)
        ]
        load_rows(self.cloud, [*groups, *(estate or [])])
        for one in self.principals.values():
            self.add(one)
        self.view.load_everything()
        self.throttle = Throttle(self.clock)
        self.service = ArmService(self.cloud, self.throttle)
        self.graph = GraphService(self.cloud, self.view)

    def add(self, principal: Principal) -> None:
        self.principals[principal.name] = principal
        self.cloud.rights.directory.add(principal.object_id)
        starting_rights.give(self.cloud, principal)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        by: str = "somebody",
        version: str | None = None,
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> Reply:
        path, _, raw = path.removeprefix(ENDPOINT).partition("?")
        raw = raw or urlencode({"api-version": version or version_for(path), **query})
        request = Request(
            method,
            path,
            raw,
            dict(parse_qsl(raw)),
            headers or {},
            b"" if body is None else orjson.dumps(body),
            ENDPOINT,
        )
        self.cloud.operations.settle()
        try:
            service = self.graph if self.graph.serves(request) else self.service
            answer = service.answer(request, self.principals[by])
            if answer.write is not None:
                self.graph.capture(self.principals[by].client_id)
            return Reply(answer)
        except ArmError as error:
            return Reply(Answer(error.status, error.body(), error.headers))
        finally:
            self.view.capture()

    def wait(self, seconds: float = LONG) -> None:
        self.now += seconds
        self.cloud.operations.settle()

    def get(self, path: str, **options: Any) -> Reply:
        return self.call("GET", path, **options)

    def put(self, path: str, body: object, **options: Any) -> Reply:
        return self.call("PUT", path, body, **options)

    def patch(self, path: str, body: object, **options: Any) -> Reply:
        return self.call("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> Reply:
        return self.call("DELETE", path, **options)

    def made(self, path: str, body: object, **options: Any) -> Reply:
        """PUT, the wait until it is done, and the GET after it."""
        answer = self.put(path, body, **options)
        assert answer.status in (200, 201), answer.body
        self.wait()
        found = self.get(path)
        assert found.body["properties"]["provisioningState"] == "Succeeded", found.body
        return found

    def gone(self, path: str, **options: Any) -> None:
        answer = self.delete(path, **options)
        assert answer.status == 202, answer.body
        self.wait()
        assert self.get(path).status == 404

    def query(self, text: str, *, by: str = "somebody", **options: Any) -> Reply:
        body: Json = {"query": text, "options": options.pop("options", {}), **options}
        reply = self.call("POST", "/providers/Microsoft.ResourceGraph/resources", body, by=by, version="2024-04-01")
        if reply.raw is not None:
            reply.body = orjson.loads(reply.raw)
        return reply

    # -- bodies --------------------------------------------------------------------------------------------------

    def network(self, name: str, *prefixes: str, path: str = NET, **extra: Any) -> str:
        """Makes a virtual network; returns its id."""
        self.made(f"{path}/virtualNetworks/{name}", network_body(*prefixes, **extra))
        return f"{path}/virtualNetworks/{name}"

    def bastion_ready(self, name: str = "hub", prefix: str = "10.0.0.0/16", subnet: str = "10.0.1.0/26") -> Json:
        """A network with AzureBastionSubnet and a public IP; returns the body of a host in it."""
        network = self.network(name, prefix)
        self.made(f"{network}/subnets/AzureBastionSubnet", subnet_body(subnet))
        address = f"{NET}/publicIPAddresses/pip-{name}"
        self.made(address, PUBLIC_IP)
        return bastion_body(f"{network}/subnets/AzureBastionSubnet", address)


PUBLIC_IP: Json = {
    "location": "westeurope",
    "sku": {"name": "Standard"},
    "properties": {"publicIPAllocationMethod": "Static"},
}


def version_for(path: str) -> str:
    """The api-version of a request that is not about versions."""
    provider, _, kind = path.lower().rpartition("/providers/")[2].partition("/")
    if not provider.startswith("microsoft.") or kind in ("", "register", "unregister"):
        return "2024-11-01"
    return "2024-07-01" if provider == "microsoft.compute" else NETWORK


def network_body(*prefixes: str, **properties: Any) -> Json:
    return {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": list(prefixes)}, **properties}}


def subnet_body(prefix: str, **properties: Any) -> Json:
    return {"properties": {"addressPrefix": prefix, **properties}}


def link_body(remote: str, **flags: Any) -> Json:
    return {"properties": {"remoteVirtualNetwork": {"id": remote}, **flags}}


def bastion_body(subnet: str, address: str | None, sku: str = "Standard", **properties: Any) -> Json:
    part: Json = {"subnet": {"id": subnet}}
    if address is not None:
        part["publicIPAddress"] = {"id": address}
    return {
        "location": "westeurope",
        "sku": {"name": sku},
        "properties": {"ipConfigurations": [{"name": "IpConf", "properties": part}], **properties},
    }


def rule_body(priority: int, direction: str = "Inbound", access: str = "Allow", **properties: Any) -> Json:
    return {
        "properties": {
            "priority": priority,
            "direction": direction,
            "access": access,
            "protocol": "Tcp",
            "sourcePortRange": "*",
            "destinationPortRange": "*",
            "sourceAddressPrefix": "*",
            "destinationAddressPrefix": "*",
            **properties,
        }
    }


_ROWS = (
    ("https-in", 120, "Inbound", "Internet", "*", ["443"]),
    ("gateway-in", 130, "Inbound", "GatewayManager", "*", ["443"]),
    ("balancer-in", 140, "Inbound", "AzureLoadBalancer", "*", ["443"]),
    ("host-in", 150, "Inbound", "VirtualNetwork", "VirtualNetwork", ["8080", "5701"]),
    ("ssh-rdp-out", 100, "Outbound", "*", "VirtualNetwork", ["22", "3389"]),
    ("cloud-out", 110, "Outbound", "*", "AzureCloud", ["443"]),
    ("host-out", 120, "Outbound", "VirtualNetwork", "VirtualNetwork", ["8080", "5701"]),
    ("http-out", 130, "Outbound", "*", "Internet", ["80"]),
)


def bastion_rules() -> list[Json]:
    """The eight rules of the published table."""
    rules = []
    for name, priority, direction, source, destination, ports in _ROWS:
        body = rule_body(priority, direction, sourceAddressPrefix=source, destinationAddressPrefix=destination)
        del body["properties"]["destinationPortRange"]
        body["properties"]["destinationPortRanges"] = ports
        rules.append({"name": name, **body})
    return rules
