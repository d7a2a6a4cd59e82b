"""What a host needs and what becomes of it when its spec changes, with the request log as judge."""

import asyncio
import json
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
    told = lab.kubectl("get", "events", "-n", lab.namespace, "-o", "jsonpath={.items[*].message}")
    assert f"Delete {HOST}: it is to be made anew" in told
    lab.wait_still()
    assert len(lab.writes()) == made + 2


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
    method, setting, _ = lab.writes()[-1]
    assert method == "PUT"
    assert setting.startswith(f"{HOST.lower()}/providers/microsoft.insights/diagnosticsettings/azurebastion-")

    # Somebody deletes it by hand: seen within one interval, or at once when asked for.
    before = len(lab.writes())

    async def delete_by_hand() -> None:
        async with lab.azure.control() as control:
            await control.delete_resource(setting)

    asyncio.run(delete_by_hand())
    lab.annotate("bh", "hub", "now")
    lab.wait_for(lambda: lab.writes()[before:], "the setting is made again")

    del premium["spec"]["diagnostics"]
    lab.apply(premium)
    lab.wait_for(lambda: ("DELETE", setting, 200) in lab.writes(), "the setting is deleted")
    lab.wait_still()
    assert [(each[0], each[1]) for each in lab.writes()[before:]] == [("PUT", setting), ("DELETE", setting)]
