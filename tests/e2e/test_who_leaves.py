"""Networks that lost their tag: each keeps its peering until the spec, the time, a GET and its gateways allow that it goes."""

from collections.abc import Callable
from datetime import datetime, timedelta

from tests.e2e.test_links_kept import change, links, since
from tests.e2e.test_told_beforehand import asking, network
from tests.e2e.test_trouble import error
from tests.support.estates import gateway, subnet, vnet
from tests.support.faults import fault, heal
from tests.support.lab import APPS_SUBSCRIPTION, HUB, HUB_SUBSCRIPTION, Lab, Manifest, path_of

SPOKES = ("branch", "plain", "kept")
OWN = "azurebastion"
# The network that is not to be read for a while.
PLAIN_ITSELF = r"/virtualNetworks/plain\?"


def estate() -> list[Manifest]:
    """A hub with a gateway, and three networks that each have a tag of their own."""
    subscriptions = [
        {"id": f"/subscriptions/{each}", "name": each, "type": "microsoft.resources/subscriptions"}
        for each in (HUB_SUBSCRIPTION, APPS_SUBSCRIPTION)
    ]
    hub = vnet(HUB, "10.0.0.0/16", subnets=[subnet("GatewaySubnet", "10.0.255.0/27")])
    spokes = [
        vnet(network(name), f"10.{place}.0.0/16") | {"tags": {"role": name}} for place, name in enumerate(SPOKES, 1)
    ]
    return [*subscriptions, hub, gateway("on-premises", HUB), *spokes]


def selecting(name: str, *, on_leave: str | None = "Delete", **spec: object) -> Manifest:
    """A VNetPeering that finds the network of its name."""
    selector: Manifest = {"subscriptions": [APPS_SUBSCRIPTION], "tags": {"role": name}}
    selector |= {"onLeave": on_leave, "leaveGrace": "24h"} if on_leave else {}
    manifest = asking(name, spokeSelector=selector, **spec)
    del manifest["spec"]["spokes"]
    return manifest


def take_tag(lab: Lab, name: str) -> None:
    """Somebody puts another tag in place of the one that a network was found by."""
    row = lab.azure.resources()[network(name).lower()]
    change(lab, put={**row, "tags": {"role": "none"}})


def let_grace_pass(lab: Lab, name: str) -> None:
    """The status is all that knows when a network left: what it says is a day earlier now."""
    claims = lab.get("vnp", name)["status"]["claims"]
    earlier = [
        {**claim, "leftAt": f"{datetime.fromisoformat(claim['leftAt']) - timedelta(hours=25):%Y-%m-%dT%H:%M:%SZ}"}
        for claim in claims
    ]
    lab.api.merge(f"{lab.path('vnp', name)}/status", {"status": {"claims": earlier}})


def told(lab: Lab, name: str) -> str:
    """What the one row of a VNetPeering says."""
    rows = lab.get("vnp", name).get("status", {}).get("spokes", [])
    return str(rows[0].get("message", "")) if rows else ""


def reads_of(lab: Lab, name: str, start: int, *statuses: int) -> list[int]:
    """The places in the log, from one on, of the operator's GETs of a network that were answered so."""
    return [
        place
        for place, entry in enumerate(lab.azure.request_log())
        if place >= start
        and (entry["principal"], entry["method"]) == ("operator", "GET")
        and path_of(entry["url"]) == network(name).lower()
        and entry["status"] in statuses
    ]


def test_a_lost_tag_parts_only_whom_the_spec_the_time_a_get_and_the_gateways_allow(
    lab_factory: Callable[..., Lab],
) -> None:
    lab = lab_factory(estate())
    lab.operator.start()
    lends: Manifest = {"hubToSpoke": {"allowGatewayTransit": True}, "spokeToHub": {"useRemoteGateways": True}}
    lab.apply(selecting("branch", **lends), selecting("plain"), selecting("kept", on_leave=None))
    for name in SPOKES:
        lab.wait_for(lambda: lab.get("vnp", name).get("status", {}).get("connected") == "1/1", f"{name} is joined")  # noqa: B023
    lab.wait_ready(*(f"vnp/{name}" for name in SPOKES))
    start = len(lab.writes())

    for name in SPOKES:
        take_tag(lab, name)
    for name in SPOKES:
        lab.wait_for(lambda: lab.get("vnp", name)["status"]["counts"].get("left") == 1, f"{name} is said to have left")  # noqa: B023
    assert "is removed after" in told(lab, "plain"), "the grace runs"

    # Its time is up, and Azure does not say how the network is now.
    fault(lab, error(503, "ServiceUnavailable"), method="GET", url=PLAIN_ITSELF, count=0)
    later = len(lab.azure.request_log())
    for name in SPOKES:
        let_grace_pass(lab, name)
    lab.wait_for(lambda: reads_of(lab, "plain", later, 503), "the network is asked for")
    lab.wait_for(lambda: "leads over the other's gateway" in told(lab, "branch"), "it is told why the branch stays")
    lab.wait_for(lambda: "until this resource is deleted" in told(lab, "kept"), "it is told why the third one stays")
    assert since(lab, start) == []
    heal(lab)
    lab.wait_for(lambda: not lab.get("vnp", "plain")["status"].get("claims"), "both halves are gone, and their claims")
    gone = [("DELETE", "hub", f"{OWN}-plain"), ("DELETE", "plain", f"{OWN}-hub")]
    assert sorted(since(lab, start)) == gone
    first = next(place for place, entry in enumerate(lab.azure.request_log()) if entry["method"] == "DELETE")
    assert any(place < first for place in reads_of(lab, "plain", later, 200)), "Azure itself showed it without the tag"

    # The branch goes once no gateway is used any more; the third one only with its resource.
    half = links(lab)["branch", "hub"]
    change(lab, put={**half, "properties": {**half["properties"], "useRemoteGateways": False}})
    lab.wait_for(lambda: not lab.get("vnp", "branch")["status"].get("claims"), "now the branch is parted as well")
    gone += [("DELETE", "branch", f"{OWN}-hub"), ("DELETE", "hub", f"{OWN}-branch")]
    assert sorted(since(lab, start)) == sorted(gone)
    assert links(lab).keys() == {("hub", "kept"), ("kept", "hub")}
    lab.delete("vnp", "kept")
    gone += [("DELETE", "hub", f"{OWN}-kept"), ("DELETE", "kept", f"{OWN}-hub")]
    assert sorted(since(lab, start)) == sorted(gone)
    assert links(lab) == {}
