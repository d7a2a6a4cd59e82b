"""The eight rules that Azure asks for on AzureBastionSubnet, narrowed to what a spec asks for, and which of them are missing.

Source: Microsoft Learn, "Working with NSG access and Azure Bastion". What is missing the engine tells (step 7 of the
verdicts); the rule that lets sessions out, and sources that the spec names, are looked for rule by rule.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from bastion_operator.api.bastion_host import NetworkSecurity
from bastion_operator.network.finding import Finding
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability.bastion_rules import unmet_rows
from bastion_operator.network.reachability.host import find_host
from bastion_operator.network.security_group import Direction, SecurityRule
from bastion_operator.planning.bastion_input import BastionHostInput
from bastion_operator.planning.model import Body
from bastion_operator.planning.rule_mark import RuleMark
from bastion_operator.planning.rule_places import covered
from bastion_operator.planning.wanted_rule import WantedRule

HTTPS_RULE: Final = "AllowHttpsInbound"
SESSION_RULE: Final = "AllowSshRdpOutbound"
_DEFAULT_PORTS: Final = (22, 3389)
_ANYWHERE: Final = ("*",)
_NETWORK: Final = ("VirtualNetwork",)
_IN, _OUT = Direction.INBOUND, Direction.OUTBOUND
_FIXED: Final = (
    (
        "AllowGatewayManagerInbound",
        _IN,
        130,
        ("GatewayManager",),
        _ANYWHERE,
        (443,),
        "Azure's control plane to Bastion",
    ),
    ("AllowAzureLoadBalancerInbound", _IN, 140, ("AzureLoadBalancer",), _ANYWHERE, (443,), "health probes to Bastion"),
    ("AllowBastionHostCommunicationInbound", _IN, 150, _NETWORK, _NETWORK, (8080, 5701), "Bastion's own data plane"),
    ("AllowAzureCloudOutbound", _OUT, 110, _ANYWHERE, ("AzureCloud",), (443,), "Bastion to Azure"),
    ("AllowBastionHostCommunicationOutbound", _OUT, 120, _NETWORK, _NETWORK, (8080, 5701), "Bastion's own data plane"),
    (
        "AllowGetSessionInformationOutbound",
        _OUT,
        130,
        _ANYWHERE,
        ("Internet",),
        (80,),
        "session information of Bastion",
    ),
)
_HTTPS_PRIORITY: Final = 120


def bastion_rules(asked: BastionHostInput) -> tuple[WantedRule, ...]:
    """Every rule that AzureBastionSubnet needs. Clients named by prefixes share a rule; each service tag has its own."""
    mark = RuleMark(asked.owner, asked.ids.host)
    security = asked.spec.network_security
    rows = [*_https(asked), _sessions(security), *_FIXED]
    return tuple(
        WantedRule(mark.name(name), way, source, destination, ports, mark.description(why), priority)
        for name, way, priority, source, destination, ports, why in rows
    )


Row = tuple[str, Direction, int, tuple[str, ...], tuple[str, ...], tuple[int, ...], str]


def _https(asked: BastionHostInput) -> Iterator[Row]:
    private = bool(asked.spec.features.private_only)
    sources = asked.spec.network_security.allowed_sources or (("VirtualNetwork" if private else "Internet"),)
    prefixes = tuple(source for source in sources if "/" in source)
    parts = [(HTTPS_RULE, prefixes)] if prefixes else []
    parts += [(f"{HTTPS_RULE}-{tag}", (tag,)) for tag in sources if "/" not in tag]
    for place, (name, source) in enumerate(parts):
        yield name, _IN, _HTTPS_PRIORITY + place, source, _ANYWHERE, (443,), "clients to Bastion"


def _sessions(security: NetworkSecurity) -> Row:
    further = (*security.ports.rdp, *security.ports.ssh) if security.ports is not None else ()
    ports = tuple(sorted({*_DEFAULT_PORTS, *further}))
    return SESSION_RULE, _OUT, 100, _ANYWHERE, _NETWORK, ports, "sessions from Bastion to VMs"


def missing_rules(
    asked: BastionHostInput, network: Body, group: Body, foreign: tuple[SecurityRule, ...], own: Iterable[str]
) -> tuple[WantedRule, ...]:
    """The rules that a group lacks: not met by what others wrote, or written by the operator already.

    ``group`` is without the operator's rules, ``foreign`` what others wrote, ``own`` the lower-cased names of the operator's.
    """
    names = set(own)
    unmet = {row for row, _ in unmet_of(asked, network, group)}
    return tuple(
        rule for rule in bastion_rules(asked) if rule.name.lower() in names or _is_missing(asked, rule, unmet, foreign)
    )


def _is_missing(asked: BastionHostInput, rule: WantedRule, unmet: set[str], foreign: tuple[SecurityRule, ...]) -> bool:
    purpose = purpose_of(rule)
    if purpose == SESSION_RULE:
        return not covered(rule, foreign)
    if purpose == HTTPS_RULE and asked.spec.network_security.allowed_sources is not None:
        return not covered(rule, foreign)
    return purpose in unmet


def purpose_of(rule: WantedRule) -> str:
    """Which of the eight a rule is."""
    return rule.name.split("-")[2]


def unmet_of(asked: BastionHostInput, network: Body, group: Body) -> list[tuple[str, Finding]]:
    """The rows of Azure's table that the engine finds unmet in a group, by the name that Azure gives their rule."""
    return [(row.rule[0], told) for row, told in _unmet(asked, network, group)]


def _unmet(asked: BastionHostInput, network: Body, group: Body) -> Iterator[tuple[Any, Finding]]:
    inventory = Inventory.from_rows([_row(network, asked.ids.virtual_network), _row(group, group["id"]), _host(asked)])
    bastion = inventory.bastion(asked.ids.host)
    if bastion is not None:
        yield from unmet_rows(inventory, find_host(inventory, bastion))


def _host(asked: BastionHostInput) -> dict[str, Any]:
    """The host as it is to be: what the rules are judged for, also before it is there."""
    configuration = {"name": "IpConf", "properties": {"subnet": {"id": asked.ids.subnet}}}
    held = {
        "provisioningState": "Succeeded",
        "ipConfigurations": [configuration],
        "enablePrivateOnlyBastion": bool(asked.spec.features.private_only),
    }
    sku = {"name": "Premium" if asked.spec.features.private_only else "Standard"}
    return _row({"properties": held, "sku": sku}, asked.ids.host)


def _row(body: Mapping[str, Any], resource_id: str) -> dict[str, Any]:
    tail = resource_id.rpartition("/providers/")[2].split("/")
    return {**body, "id": resource_id, "name": tail[-1], "type": "/".join(tail[:2])}
