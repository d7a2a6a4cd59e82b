"""What stands is imported, observed, foreseen and taken over without a single write to Azure: the installed program, the real
API server, the operator.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import yaml

from tests.support.command import run_command
from tests.support.lab import Lab, example

ESTATE = Path(__file__).parents[2] / "examples" / "reach" / "reasons.json"
SUBSCRIPTION = "0a1b2c3d-0000-4000-8000-00000000000c"


def command(lab: Lab, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`kubectl bastion` with the cluster's administrator, and a login of its own in Azure."""
    reader = lab.azure.clients["operator"]
    environment = {
        "KUBECONFIG": str(lab.control_plane.kubeconfig),
        "AZURE_TENANT_ID": lab.azure.tenant_id,
        "AZURE_CLIENT_ID": reader.client_id,
        "AZURE_CLIENT_SECRET": reader.client_secret,
        **lab.azure.environment(),
    }
    return run_command(*arguments, environment=environment)


def test_what_stands_is_taken_over_without_a_write(lab_factory: Callable[..., Lab], tmp_path: Path) -> None:
    lab = lab_factory(ESTATE, identity=False)
    lab.apply_identity(allowedSubscriptions=[SUBSCRIPTION])
    exported = tmp_path / "exported.json"
    exported.write_text(json.dumps(list(lab.azure.resources().values())))

    done = command(lab, "import", "--from", str(exported), "-n", lab.namespace, "--identity", lab.namespace)
    assert (done.returncode, done.stderr) == (0, "")
    manifests = list(yaml.safe_load_all(done.stdout))
    assert {(each["kind"], each["metadata"]["name"]) for each in manifests} == {
        ("BastionHost", "hub-bastion"),
        ("BastionHost", "sandbox-bastion"),
        ("VNetPeering", "hub-spokes"),
        ("VNetPeering", "sandbox-spokes"),
    }
    names = ("bh/hub-bastion", "bh/sandbox-bastion", "vnp/hub-spokes", "vnp/sandbox-spokes")
    lab.kubectl("apply", "-f", "-", stdin=done.stdout)
    lab.operator.start()
    lab.wait_ready(*names)

    for each in manifests:
        each["spec"]["managementPolicy"] = "Manage"
    managed = tmp_path / "managed.yaml"
    managed.write_text(yaml.safe_dump_all(manifests))
    foreseen = command(lab, "what-if", "-f", str(managed), "-n", lab.namespace, "-o", "json")
    assert foreseen.returncode == 0, foreseen.stderr
    told = json.loads(foreseen.stdout)
    assert (told["changes"], told["reachability"]) == ([], [])
    assert not [each for each in told["customResources"] if each["obstacles"] or each["onlyTold"]]
    lab.kubectl("apply", "-f", str(managed))
    lab.wait_for(lambda: all(adopted(lab, name) for name in names), "all is taken over")
    lab.wait_ready(*names)
    lab.wait_still()
    assert lab.writes() == [], "and Azure was never written to"

    checked = command(lab, "doctor", "-n", lab.namespace, "-o", "json")
    results = {each["check"]: each["result"] for each in json.loads(checked.stdout)}
    identity = f"AzureIdentity {lab.namespace}"
    # They are of no namespace: other tests of this API server have theirs.
    others = {name for name in results if name.startswith("AzureIdentity ") and name != identity}
    assert {name for name, result in results.items() if result == "failed"} - others == {"operator"}, (
        "no kubelet runs its pod here"
    )
    assert results["rights of the operator"] == results[identity] == "ok"
    assert checked.returncode == 1
    rights = command(lab, "doctor", "--azure", "-o", "json")
    assert rights.returncode == 0, rights.stdout + rights.stderr
    assert any(each["check"].startswith("rights in subscription") for each in json.loads(rights.stdout))


def test_what_is_foreseen_is_what_the_operator_then_does(lab: Lab, tmp_path: Path) -> None:
    manifests = [*example("bastion-host.yaml"), *example("vnet-peering.yaml")]
    for each in manifests:
        each["metadata"]["namespace"] = lab.namespace
        each["spec"]["identityRef"] = {"name": lab.namespace}
    wanted = tmp_path / "wanted.yaml"
    wanted.write_text(yaml.safe_dump_all(manifests))
    done = command(lab, "what-if", "-f", str(wanted), "-n", lab.namespace, "-o", "json")
    assert done.returncode == 0, done.stderr
    assert lab.objects("bh,vnp") == [], "nothing was stored"
    told = json.loads(done.stdout)
    lab.apply_example()
    lab.wait_ready("bh/hub", "bh/hub-desktops", "vnp/hub")
    lab.wait_still()
    sent = {(method, path) for method, path, status in lab.writes() if status < 300}
    assert sent == {("PUT", each["resource"].lower()) for each in told["changes"]}
    assert [each["action"] for each in told["changes"]] == ["Create"] * len(sent)
    gained = {each["vm"].rsplit("/", 1)[-1] for each in told["reachability"] if each["change"] == "Gained"}
    lab.wait_for(
        lambda: {vm for vm, codes in lab.reasons().items() if not codes} == gained, "the VMs that were foreseen"
    )


def adopted(lab: Lab, name: str) -> bool:
    kind, _, plain = name.partition("/")
    claims = lab.get(kind, plain).get("status", {}).get("claims", [])
    return bool(claims) and {claim["origin"] for claim in claims} == {"Adopted"}
