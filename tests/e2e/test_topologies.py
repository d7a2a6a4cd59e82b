"""Each topology of examples/ and docs/topologies.md, all side by side on one estate: made, told, at rest, and taken down."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.support.deployment import ROOT
from tests.support.lab import APPS_SUBSCRIPTION, HUB_SUBSCRIPTION, Lab, Manifest

EXAMPLES = ROOT / "examples"
# Laid over the example of a hub and its spokes; each has a test file of its own, which applies it.
ELSEWHERE = {"premium": "test_bastion_anew.py", "spoke-selector": "test_spoke_selector.py"}
Ways = dict[str, str | list[str]]


@dataclass(frozen=True)
class Topology:
    """A folder of examples, and what is to come of it.

    :ivar links: the pairs of networks that are joined
    :ivar ways: by name of BastionHost, of each VM of the folder's estate that its reports have: how it is reached, or the codes
        of what is in the way
    :ivar hosts: the networks that get a Bastion with subnet and public IP address
    :ivar developer: those that get a Developer host, which has neither
    :ivar more: what else is made, as parts of ids
    """

    folders: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    ways: dict[str, Ways]
    hosts: tuple[str, ...]
    developer: tuple[str, ...] = ()
    more: tuple[str, ...] = ()

    @property
    def machines(self) -> set[str]:
        """The names of its VMs."""
        every = [row for folder in self.folders for row in rows(folder)]
        return {row["name"] for row in every if row["type"] == "microsoft.compute/virtualmachines"}


TOPOLOGIES = (
    Topology(
        # The Bastion of the hub is that of the example of security rules.
        ("hub-and-spoke", "security-rules"),
        links=(("hub", "shop"), ("hub", "billing"), ("hub", "tools")),
        hosts=("hub",),
        more=("/networksecuritygroups/hub-nsg", "/networksecuritygroups/db-nic-nsg/securityrules/azurebastion-"),
        ways={
            "hub": {
                "jump": "SameVNet",
                "web-1": "Peering",
                "web-2": ["VMNotRunning"],
                "reports": "Peering",
                "db-1": "Peering",
                "build-1": "Peering",
                "desktop-1": "Peering",
                "bench-1": ["NotPeered"],
            }
        },
    ),
    Topology(
        ("wan-and-developer",),
        links=(),
        hosts=("access",),
        developer=("sandbox",),
        ways={
            "wan": {"press-1": "IpConnect", "gauge-1": ["SubnetNsgDenies"], "archive-1": ["ReturnRouteDiverted"]},
            "sandbox": {"trial-1": "SameVNet"},
        },
    ),
    Topology(
        ("full-mesh",),
        links=(("orders", "stock"), ("orders", "payments"), ("stock", "payments")),
        hosts=("stock",),
        ways={"mesh": {"orders-1": "Peering", "stock-1": "SameVNet", "payments-1": "Peering"}},
    ),
    Topology(
        ("bastion-in-each-spoke",),
        links=(("shared", "clinic"), ("shared", "school")),
        hosts=("clinic", "school"),
        ways={"clinic": {"clinic-1": "SameVNet"}, "school": {"school-1": "SameVNet"}},
    ),
    Topology(
        ("several-bastions",),
        links=(("campus", "annex"),),
        hosts=("campus", "annex"),
        ways={
            "campus": {"campus-1": "SameVNet", "annex-1": "Peering"},
            "annex": {"campus-1": "Peering", "annex-1": "SameVNet"},
        },
    ),
    Topology(
        ("several-regions",),
        links=(("global", "delft"), ("global", "paris"), ("global", "oslo")),
        hosts=("global",),
        ways={"global": {"delft-1": "Peering", "paris-1": "GlobalPeering", "oslo-1": "GlobalPeering"}},
    ),
)


def manifests(folder: str) -> list[Manifest]:
    """The objects of an example."""
    files = sorted((EXAMPLES / folder).glob("*.yaml"))
    return [dict(each) for path in files for each in yaml.safe_load_all(path.read_text())]


def rows(folder: str) -> list[Manifest]:
    path = EXAMPLES / folder / "estate.json"
    found: list[Manifest] = json.loads(path.read_text()) if path.exists() else []
    return found


def ways(lab: Lab, bastion: str, machines: set[str]) -> Ways:
    """How the reports of a BastionHost say that each of these VMs is reached, or by which codes it is not."""
    found: Ways = {}
    for report in lab.objects("rr"):
        for row in report.get("rows", []) if report["bastionHost"] == bastion else ():
            name = row["vm"].rsplit("/", 1)[-1]
            if name in machines:
                found[name] = [reason["code"] for reason in row.get("reasons", [])] or row["via"]
    return found


def expected_writes(topology: Topology) -> list[str]:
    """What is made, as ends of lower-cased ids: of a peering the beginning of its name is known, of a rule as well."""
    hosts = (*topology.hosts, *topology.developer)
    made = [*topology.more, *(f"/bastionhosts/{bastion_in(topology, name)}" for name in hosts)]
    for name in topology.hosts:
        made += [
            f"/publicipaddresses/{bastion_in(topology, name)}-ip",
            f"/virtualnetworks/{name}/subnets/azurebastionsubnet",
        ]
    for one, other in topology.links:
        made += [
            f"/virtualnetworks/{one}/virtualnetworkpeerings/azurebastion-{other}-",
            f"/virtualnetworks/{other}/virtualnetworkpeerings/azurebastion-{one}-",
        ]
    return made


def bastion_in(topology: Topology, network: str) -> str:
    """The name of the BastionHost in a network."""
    hosts = [each for folder in topology.folders for each in manifests(folder) if each["kind"] == "BastionHost"]
    return next(
        str(each["metadata"]["name"])
        for each in hosts
        if each["spec"]["virtualNetworkID"].endswith(f"/virtualNetworks/{network}")
    )


def test_each_topology_is_made_as_its_page_says_and_taken_down_and_nothing_else_is_touched(
    lab_factory: Callable[..., Lab],
) -> None:
    folders = [folder for topology in TOPOLOGIES for folder in topology.folders]
    estate = {row["id"].lower(): row for folder in folders for row in rows(folder)}
    lab = lab_factory(list(estate.values()))
    before = lab.azure.resources()
    lab.operator.start()
    # Of two objects of one name the one of the later folder stands.
    objects = {(each["kind"], each["metadata"]["name"]): each for folder in folders for each in manifests(folder)}
    lab.apply(*objects.values())
    short = {"BastionHost": "bh", "VNetPeering": "vnp"}
    lab.wait_ready(*(f"{short[kind]}/{name}" for kind, name in objects))
    for topology in TOPOLOGIES:
        for bastion, wanted in topology.ways.items():
            machines = topology.machines
            lab.wait_for(
                lambda: ways(lab, bastion, machines) == wanted,  # noqa: B023
                f"{topology.folders[0]}: {bastion} tells {wanted}, of late {ways(lab, bastion, machines)}",
            )
    lab.wait_still(seconds=1.3)

    taken = [(method, path) for method, path, status in lab.writes() if 200 <= status < 300]
    assert {method for method, _ in taken} == {"PUT"}
    assert len(taken) == len(set(taken)), "nothing is written twice"
    left = [path for _, path in taken]
    for part in (each for topology in TOPOLOGIES for each in expected_writes(topology)):
        met = [path for path in left if path.endswith(part) or (part.endswith("-") and part in path)]
        assert len(met) == 1, part
        left.remove(met[0])
    assert left == [], "nothing else is written"

    lab.delete("bh,vnp")
    after = lab.azure.resources()
    assert after.keys() == before.keys(), "what the operator made is gone, and nothing else"
    assert {key: spaces(body) for key, body in after.items()} == {key: spaces(body) for key, body in before.items()}


def spaces(body: Manifest) -> object:
    """What a network, a rule, a machine is, without what others refer to it by."""
    shown = body["properties"]
    return [shown.get(each) for each in ("addressSpace", "addressPrefix", "priority", "access", "networkProfile")]


def test_every_example_is_applied_by_a_test_and_has_its_place_on_the_page() -> None:
    page = (ROOT / "docs" / "topologies.md").read_text()
    folders = {path.parent.name for path in EXAMPLES.glob("*/*.yaml")}
    applied = {folder for topology in TOPOLOGIES for folder in topology.folders}
    assert folders == applied | ELSEWHERE.keys()
    for folder, name in ELSEWHERE.items():
        assert folder in Path(__file__).with_name(name).read_text()
    linked = set(re.findall(r"\(\.\./examples/([a-z-]+)/", page))
    assert folders <= linked


def test_the_examples_lie_in_two_subscriptions_and_several_regions() -> None:
    every = [row for folder in ("several-regions",) for row in rows(folder)]
    assert {row["id"].split("/")[2] for row in every} == {HUB_SUBSCRIPTION, APPS_SUBSCRIPTION}
    assert len({row["location"] for row in every if row["type"].endswith("/virtualnetworks")}) == 3
