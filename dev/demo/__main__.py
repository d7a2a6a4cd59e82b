"""Six chapters; the exit code is 0 only if everything that they promise came true."""

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from dev.control_plane import ControlPlaneError
from dev.demo.colleague import Colleague
from dev.demo.screen import NotComeTrueError, Screen
from dev.demo.stage import EXAMPLES, NAMESPACE, OPERATOR_NAMESPACE, SPEED, Stage

HUB_SUBSCRIPTION = "0a1b2c3d-0000-4000-8000-00000000000a"
APPS_SUBSCRIPTION = "0a1b2c3d-0000-4000-8000-00000000000b"
DENY = "DenySshDuringAudit"
EVENT_WIDTH = 150
_IN_NAMESPACE = ("-n", NAMESPACE)

# What the operator makes: everything of these types in the example's networks.
OURS = ("/bastionhosts/", "/publicipaddresses/", "/subnets/azurebastionsubnet", "/virtualnetworkpeerings/")


def main() -> int:
    """Play the demo; returns the exit code."""
    screen = Screen()
    started = time.monotonic()
    try:
        with Stage() as stage:
            play(stage, screen)
            screen.say(
                f"\nEverything came true, in {time.monotonic() - started:.0f} s (Azure at {SPEED:.0f} times its speed)."
            )
    except (NotComeTrueError, ControlPlaneError) as error:
        print(f"\ndemo: did not come true: {error}", file=sys.stderr)
        return 1
    return 0


def play(stage: Stage, screen: Screen) -> None:
    """All chapters. Raises NotComeTrueError at the first promise that is not kept."""
    before = stage.azure.resources()
    install(stage, screen)
    provision(stage, screen)
    verdicts(stage, screen)
    access(stage, screen)
    repair(stage, screen)
    if screen.interactive:
        stay(stage, screen)
    remove(stage, screen, before)


def install(stage: Stage, screen: Screen) -> None:
    """The platform team's part."""
    screen.chapter("Install: the base, an identity, and the operator under its own service account")
    stage.install()
    stage.start_operator()
    show(stage, screen, "get", "azureidentities")
    screen.say(
        f"Its only credential is a Secret in the namespace {OPERATOR_NAMESPACE}; Azure is a local one, over TLS."
    )


def provision(stage: Stage, screen: Screen) -> None:
    """Chapter 1 and 2: three Bastions, one in a hub with three spokes in two subscriptions; conditions on the way."""
    screen.chapter("1. Apply BastionHosts and a VNetPeering: Azure follows")
    show(stage, screen, "apply", *files())
    screen.wait_for("conditions say Reconciling while Azure works", lambda: reconciling(stage), seconds=30)
    show(stage, screen, "get", "bh,vnp", *_IN_NAMESPACE)
    wait = ["wait", "--for=condition=Ready", "bh,vnp", "--all", *_IN_NAMESPACE, "--timeout=90s"]
    show(stage, screen, *wait, timeout=100)
    made = [each for each in stage.azure.resources() if any(mark in each for mark in OURS)]
    screen.check(
        "in Azure: three hosts, two of them with subnet and public IP address, and both halves of three links in two "
        "subscriptions",
        [sum(mark in each for each in made) for mark in OURS] == [3, 2, 2, 6],
    )
    screen.chapter("2. What kubectl shows")
    show(stage, screen, "get", "bh,vnp,rr", *_IN_NAMESPACE)
    conditions = r'{range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\n"}{end}'
    show(stage, screen, "get", "bh", "hub", *_IN_NAMESPACE, "-o", f"jsonpath={conditions}")


def verdicts(stage: Stage, screen: Screen) -> None:
    """Chapter 3: the table, with each kind of reason in it."""
    screen.chapter("3. Which VMs can be reached, through which Bastion, how; and why the others cannot")
    expected = {
        ("web-1", "SSH"): None,
        ("reports", "RDP"): None,
        ("db-1", "SSH"): "NicNsgDenies",
        ("web-2", "SSH"): "VMNotRunning",
        ("bench-1", "SSH"): "NotPeered",
        ("desktop-1", "RDP"): "ProtocolNotSupportedBySku",
        ("press-1", "SSH"): None,
        ("trial-1", "SSH"): None,
        ("gauge-1", "SSH"): "SubnetNsgDenies",
        ("archive-1", "SSH"): "ReturnRouteDiverted",
    }
    screen.wait_for("the reports are there", lambda: expected.items() <= first_reasons(stage).items(), seconds=30)
    rows = {row["vm"].rsplit("/", 1)[-1]: row for row in report_rows(stage)}
    screen.reachability(report_rows(stage))
    screen.check(
        "press-1 lies behind a virtual WAN and is reached by its address", rows["press-1"]["via"] == "IpConnect"
    )
    screen.check(
        "trial-1 is reached by a Developer host, which has no subnet",
        rows["trial-1"]["bastion"].endswith("/sandbox") and rows["trial-1"]["via"] == "SameVNet",
    )
    route = rows["archive-1"]["reasons"][0]
    screen.check(
        f"route {route['rule']} of {route['resource'].rsplit('/', 1)[-1]} takes the replies of archive-1 to a firewall",
        route["rule"] == "own-network",
    )
    rule = next(row for row in report_rows(stage) if row["vm"].endswith("/db-1"))["reasons"][0]
    screen.check(
        f"db-1 is kept back by rule {rule['rule']} ({rule['priority']}) of {rule['resource'].rsplit('/', 1)[-1]}",
        (rule["rule"], rule["priority"]) == ("DenyRemoteAccess", 110),
    )


def access(stage: Stage, screen: Screen) -> None:
    """Chapter 4: whose roles let them use it."""
    screen.chapter("4. And who may connect")
    screen.wait_for("roles are judged", lambda: granted(stage) is not None, seconds=30)
    condition = '{.status.conditions[?(@.type=="AccessGranted")].message}'
    show(stage, screen, "get", "bh", "wan", *_IN_NAMESPACE, "-o", f"jsonpath={condition}")
    judged = {each["name"]: each for host in stage.objects("bh") for each in host["status"].get("access", ())}
    where = {role["scope"].rsplit("/", 1)[-1] for role in judged["Ann"]["missingRoles"]}
    screen.check(
        f"Ann lacks Reader on {', '.join(sorted(where))}, where press-1 is; Ben has what it takes",
        granted(stage) is False
        and (judged["Ann"]["granted"], judged["Ann"]["missing"]) == (2, 1)
        and where == {"press-1", "press-1-nic", "plant"}
        and (judged["Ben"]["granted"], judged["Ben"]["missing"]) == (3, 0),
    )


def granted(stage: Stage) -> bool | None:
    """What AccessGranted of the host in the virtual WAN says; None before it says anything for sure."""
    hosts = {host["metadata"]["name"]: host for host in stage.objects("bh")}
    conditions = hosts["wan"].get("status", {}).get("conditions", [])
    return {"True": True, "False": False}.get(
        next((c["status"] for c in conditions if c["type"] == "AccessGranted"), "")
    )


def repair(stage: Stage, screen: Screen) -> None:
    """Chapter 5: somebody breaks things in Azure."""
    screen.chapter("5. Somebody deletes one half of a peering and adds a Deny rule, in Azure, by hand")
    colleague = Colleague(stage.azure)
    resources = stage.azure.resources()
    half = next(
        each for each in resources if "/virtualnetworks/hub/virtualnetworkpeerings/azurebastion-billing" in each
    )
    name = resources[half]["name"]
    colleague.delete_peering(HUB_SUBSCRIPTION, "connectivity", "hub", name)
    screen.say(f"deleted: the hub's half of the link to billing ({name})")
    colleague.deny(APPS_SUBSCRIPTION, "shop", "web-nsg", DENY, priority=100, port=22)
    screen.say(f"added: {DENY} to the network security group of the shop's web subnet")
    screen.wait_for(
        "both halves read Connected again, and nobody touched Kubernetes", lambda: connected(stage), seconds=60
    )
    screen.wait_for(
        "the verdict on web-1 turned, with the rule as its reason",
        lambda: first_reasons(stage).get(("web-1", "SSH")) == "SubnetNsgDenies",
        seconds=60,
    )
    screen.wait_for(
        "the VM behind the mended link is reachable as before",
        lambda: first_reasons(stage).get(("reports", "RDP"), "?") is None,
        seconds=60,
    )
    screen.reachability([row for row in report_rows(stage) if row["vm"].endswith(("/web-1", "/reports"))])
    columns = "custom-columns=WHAT:.reason,ON:.regarding.name,NOTE:.note"
    show(
        stage,
        screen,
        *("get", "events.events.k8s.io", *_IN_NAMESPACE, "-o", columns, "--sort-by=.eventTime"),
        shortened=latest,
    )


def latest(events: str) -> str:
    """The head and the last four lines of a table, with a sign for what is left out."""
    header, *lines = events.splitlines()
    shown = [line if len(line) <= EVENT_WIDTH else f"{line[: EVENT_WIDTH - 1]}…" for line in lines[-4:]]
    return "\n".join([header, *(["…"] if len(lines) > len(shown) else []), *shown])


def remove(stage: Stage, screen: Screen, before: dict[str, Any]) -> None:
    """Chapter 6: what the operator made goes, and nothing else."""
    screen.chapter("6. Delete: what the operator made is gone, what it did not make is still there")
    show(stage, screen, "delete", "bh,vnp", "--all", *_IN_NAMESPACE, "--timeout=90s", timeout=100)
    after = stage.azure.resources()
    screen.wait_for("no finalizer hangs, no report is left", lambda: not stage.objects("bh,vnp,rr"), seconds=15)
    screen.check("nothing of the operator's is left in Azure", not any(mark in each for each in after for mark in OURS))
    kept = {each: body for each, body in after.items() if not each.endswith(f"/{DENY.lower()}")}
    screen.check(
        "everything else is there as it was: networks, machines, and also the rule that somebody added",
        set(kept) == set(before) and len(after) == len(before) + 1,
    )


def stay(stage: Stage, screen: Screen) -> None:
    """On a terminal: leave the reader time to look around."""
    screen.chapter("Look around; Ctrl-C goes on to the last chapter, the deletion")
    screen.say(f"export KUBECONFIG={stage.control_plane.kubeconfig}")
    screen.say(f"the operator's log: {stage.folder / 'bastion-operator.log'}")
    screen.say(f"the local Azure:    {stage.azure.endpoint} (requests in {stage.azure.request_log_file})")
    try:
        signal.pause()
    except KeyboardInterrupt:
        screen.say("")


def show(
    stage: Stage, screen: Screen, *words: str, timeout: float = 60.0, shortened: Callable[[str], str] = str
) -> None:
    """Run kubectl, and show the command as it can be typed here with what it printed."""
    screen.command(shlex.join(["kubectl", *words]), shortened(stage.kubectl(*words, timeout=timeout)))


def files() -> list[str]:
    """The examples' manifests as arguments of kubectl, not whole folders: the estates of Azure lie beside them."""
    paths = [path for example in EXAMPLES for path in sorted(example.glob("*.yaml"))]
    return [word for path in paths for word in ("-f", os.path.relpath(path))]


def reconciling(stage: Stage) -> bool:
    """Whether some resource says that it is being worked on."""
    return any(
        condition["type"] == "Reconciling" and condition["status"] == "True"
        for item in stage.objects("bh,vnp")
        for condition in item.get("status", {}).get("conditions", [])
    )


def connected(stage: Stage) -> bool:
    """Whether Azure itself shows six connected halves, and the VNetPeering says so too."""
    halves = [body for each, body in stage.azure.resources().items() if "/virtualnetworkpeerings/" in each]
    states = [body["properties"]["peeringState"] for body in halves]
    said = [item["status"].get("connected") for item in stage.objects("vnp")]
    return states == ["Connected"] * 6 and said == ["3/3"]


def report_rows(stage: Stage) -> list[dict[str, Any]]:
    """The rows of all reports, each with the name of its network; of a VM that several BastionHosts look at the best."""
    found = [
        row | {"network": report["virtualNetwork"]} for report in stage.objects("rr") for row in report.get("rows", [])
    ]
    found.sort(key=merit)
    # Of equal keys the last counts.
    rows = {(row["vm"], row["protocol"], row["port"]): row for row in reversed(found)}
    return [rows[key] for key in sorted(rows)]


def merit(row: dict[str, Any]) -> tuple[int, bool, int]:
    """The order of the ways to one VM: by verdict, then those that lead there at all, then by what there is to mend."""
    verdicts = ("Reachable", "Unknown", "Unreachable")
    return verdicts.index(row["verdict"]), "via" not in row, len(row.get("reasons", []))


def first_reasons(stage: Stage) -> dict[tuple[str, str], str | None]:
    """The code of the first reason by name of VM and protocol; None where it can be reached."""
    return {
        (row["vm"].rsplit("/", 1)[-1], row["protocol"]): row["reasons"][0]["code"] if row.get("reasons") else None
        for row in report_rows(stage)
    }


if __name__ == "__main__":
    sys.exit(main())
