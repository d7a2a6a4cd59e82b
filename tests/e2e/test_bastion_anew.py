"""What a host needs and what becomes of it when its spec changes, with the request log as judge."""

import asyncio
import json
import re
from collections.abc import Callable

import yaml

from tests.support.deployment import ROOT
from tests.support.lab import EXAMPLE, HOST, Lab, Manifest, example

HUB_BASTION, _DESKTOPS = example("bastion-host.yaml")


def asking(**spec: object) -> Manifest:
    copy: Manifest = json.loads(json.dumps(HUB_BASTION))
    copy["spec"] |= spec
    return copy


def test_a_lower_sku_is_refused_and_then_had_by_a_new_host_and_nothing_else_is_touched(lab: Lab) -> None:
    lab.apply(asking(sku="Premium"))
    lab.wait_ready("bh/hub")
    made = len(lab.writes())
    lab.apply(asking(sku="Standard"))
    refused = lab.wait_condition("bh", "hub", "HostProvisioned", "False", "DowngradeNotSupported")
    assert "set replacePolicy: Recreate" in refused["message"]
    assert "lost with the host: open sessions, the DNS name" in refused["message"]
    assert len(lab.writes()) == made

    lab.apply(asking(sku="Standard", replacePolicy="Recreate"))
    lab.wait_ready("bh/hub")
    status = lab.get("bh", "hub")["status"]
    assert status["sku"] == "Standard"
    assert [(method, path) for method, path, _ in lab.writes()[made:]] == [
        ("DELETE", HOST.lower()),
        ("PUT", HOST.lower()),
    ]
    told = f"Delete {HOST}: it is to be made anew"
    lab.wait_for(lambda: any(told in each["note"] for each in lab.events()), "an Event tells it")
    lab.wait_still()
    assert len(lab.writes()) == made + 2


def change(lab: Lab, *, put: Manifest | None = None, delete: str = "") -> None:
    """What somebody else does in Azure."""

    async def act() -> None:
        async with lab.azure.control() as control:
            if put is not None:
                await control.put_resource(put)
            if delete:
                await control.delete_resource(delete)

    asyncio.run(act())


def host(lab: Lab, **properties: object) -> Manifest:
    """The host in Azure, with other properties."""
    found: Manifest = json.loads(json.dumps(lab.azure.resources()[HOST.lower()]))
    found["properties"] |= properties
    return found


def test_one_may_watch_at_any_time_and_a_failed_host_is_made_anew_only_when_somebody_names_it(lab: Lab) -> None:
    lab.apply(asking(sku="Standard", scaleUnits=2))
    lab.wait_ready("bh/hub")
    start = len(lab.writes())
    # Watching writes nothing, tells the same, and forgets nothing; managing goes on where it was.
    lab.apply(asking(sku="Standard", scaleUnits=2, managementPolicy="Observe"))
    change(lab, put=host(lab, scaleUnits=5))
    lab.wait_condition("bh", "hub", "Ready", "False", "OutOfSync", says="properties.scaleUnits: 5 → 2")
    assert [claim["origin"] for claim in lab.get("bh", "hub")["status"]["claims"]] == ["Created"] * 3
    lab.wait_still(seconds=1.0)
    assert len(lab.writes()) == start
    lab.apply(asking(sku="Standard", scaleUnits=2))
    lab.wait_ready("bh/hub")
    assert [each[:2] for each in lab.writes()[start:]] == [("PUT", HOST.lower())]

    start = len(lab.writes())

    async def fail_again() -> None:
        async with lab.azure.control() as control:
            action = {"fail_operation": {"code": "InternalServerError"}}
            await control.add_fault(action, method="PUT", url="/bastionHosts/", principal="operator")

    asyncio.run(fail_again())
    change(lab, put=host(lab, provisioningState="Failed"))
    lab.annotate("bh", "hub", "look")
    lab.wait_for(lambda: len(lab.writes()) > start, "the identical request")
    lab.wait_still(seconds=1.0)
    failed = lab.wait_condition("bh", "hub", "HostProvisioned", "False", "ProvisioningFailed")
    assert [each[:2] for each in lab.writes()[start:]] == [("PUT", HOST.lower())], "once, and then it is for a person"
    named = re.search(r"azurebastion\.dev/recreate-failed=([\w-]+)", failed["message"])
    assert named is not None
    assert named[1] in lab.azure.resources()[HOST.lower()]["etag"]
    name_failed(lab, "another")
    # An interval, in which a pass comes by, takes 1.2 seconds here.
    lab.wait_still(seconds=1.5)
    assert len(lab.writes()) == start + 1, "another etag is another host"
    name_failed(lab, named[1])
    lab.wait_for(lambda: [each[0] for each in lab.writes()[start:]] == ["PUT", "DELETE", "PUT"], "it is made anew")
    lab.wait_ready("bh/hub")
    assert {path for _, path, _ in lab.writes()[start:]} == {HOST.lower()}


def name_failed(lab: Lab, etag: str) -> None:
    """Say that the failed host of this etag may be made anew."""
    annotations = {"azurebastion.dev/recreate-failed": etag}
    lab.api.merge(lab.path("bh", "hub"), {"metadata": {"annotations": annotations}})


def test_logs_are_sent_by_a_setting_that_comes_and_goes_with_the_spec(lab_factory: Callable[..., Lab]) -> None:
    premium = yaml.safe_load((ROOT / "examples/premium/bastion-host.yaml").read_text())
    workspace = {
        "id": premium["spec"]["diagnostics"]["workspaceID"],
        "name": "central",
        "type": "Microsoft.OperationalInsights/workspaces",
        "location": "westeurope",
        "properties": {},
    }
    estate = json.loads((EXAMPLE / "estate.json").read_text())
    # With the shipped role and nothing more: Network Contributor has no rights to diagnostic settings.
    role = json.loads((ROOT / "deploy/azure/role.json").read_text())
    operator = {"name": "operator", "assignments": [{"actions": role["Actions"]}]}
    lab = lab_factory([*estate, workspace], principals=[operator])
    lab.operator.start()
    lab.apply(premium)
    lab.wait_ready("bh/hub")
    assert not [path for _, path, _ in lab.writes() if "/publicipaddresses/" in path]
    premium_only = ("enablePrivateOnlyBastion", "enableSessionRecording")
    assert [lab.azure.resources()[HOST.lower()]["properties"].get(each) for each in premium_only] == [True, True]
    method, setting, _ = lab.writes()[-1]
    assert method == "PUT"
    assert setting.startswith(f"{HOST.lower()}/providers/microsoft.insights/diagnosticsettings/azurebastion-")

    # Somebody deletes it by hand: seen within one interval, or at once when asked for.
    before = len(lab.writes())
    change(lab, delete=setting)
    lab.annotate("bh", "hub", "now")
    lab.wait_for(lambda: lab.writes()[before:], "the setting is made again")

    wanted = premium["spec"].pop("diagnostics")
    lab.apply(premium)
    lab.wait_for(lambda: ("DELETE", setting, 200) in lab.writes(), "the setting is deleted")

    # Somebody else sends the same to the same workspace meanwhile: told, not fought, and done once it is gone.
    foreign = f"{HOST}/providers/Microsoft.Insights/diagnosticSettings/theirs"
    logs = [{"category": "BastionAuditLogs", "enabled": True}]
    row = {"id": foreign, "name": "theirs", "type": "Microsoft.Insights/diagnosticSettings"}
    change(lab, put={**row, "properties": {"workspaceId": workspace["id"], "logs": logs, "metrics": []}})
    premium["spec"]["diagnostics"] = wanted
    lab.apply(premium)
    told = lab.wait_condition("bh", "hub", "HostProvisioned", "False", "DiagnosticSettingInTheWay")
    assert "diagnostic setting theirs of the host" in told["message"]
    lab.wait_still()
    assert [(each[0], each[1]) for each in lab.writes()[before:]] == [("PUT", setting), ("DELETE", setting)]
    assert foreign.lower() in lab.azure.resources()
    change(lab, delete=foreign)
    lab.wait_ready("bh/hub")
    assert [(each[0], each[1]) for each in lab.writes()[before + 2 :]] == [("PUT", setting)]

    before = len(lab.writes())
    lab.delete("bh", "hub")
    gone = [(each[0], each[1]) for each in lab.writes()[before:]]
    assert gone[:2] == [("DELETE", setting), ("DELETE", HOST.lower())], (
        "Azure would give it to the next host of that name"
    )
