"""The API server, the credentials and the operator's own process in trouble, and what the probes say."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus

from tests.support.lab import Lab, Manifest, example

HUB_BASTION, _DESKTOPS = example("bastion-host.yaml")
(PEERING,) = example("vnet-peering.yaml")


def asked(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def created_once(lab: Lab) -> bool:
    created = [path for method, path, status in lab.writes() if method == "PUT" and status == HTTPStatus.CREATED]
    return len(created) == len(set(created))


def hourly(manifest: Manifest) -> Manifest:
    copy: Manifest = json.loads(json.dumps(manifest))
    copy["spec"]["interval"] = "1h"
    return copy


def test_an_api_server_that_is_away_during_creation_is_outlived(lab: Lab) -> None:
    lab.apply(PEERING, HUB_BASTION)
    lab.wait_for(lab.writes, "the creation has begun")
    lab.control_plane.stop_api_server()
    time.sleep(1)
    lab.control_plane.start_api_server()
    lab.wait_ready("vnp/hub", "bh/hub")
    assert created_once(lab)
    lab.delete("vnp", "hub")
    assert lab.operator.child is not None
    assert lab.operator.child.running, "the watches go on as well"


def test_a_request_for_a_pass_is_acted_on_and_acknowledged_in_spite_of_a_long_interval(lab: Lab) -> None:
    lab.apply(hourly(PEERING))
    lab.wait_ready("vnp/hub")
    lab.wait_still(seconds=0.7)
    calls = len(lab.azure.request_log())
    lab.annotate("vnp", "hub", "first")
    # The routine look comes after half an interval: 36 seconds here.
    lab.wait_for(
        lambda: lab.get("vnp", "hub")["status"].get("lastHandledReconcileAt") == "first",
        "it is acknowledged",
        seconds=25,
    )
    assert len(lab.azure.request_log()) > calls, "the inventory was read anew"


def test_a_corrected_secret_is_used_without_a_restart(lab_factory: Callable[..., Lab]) -> None:
    lab = lab_factory(identity=False)
    lab.apply_identity(client_secret="expired")
    lab.operator.start()
    lab.apply(PEERING)
    lab.wait_condition("vnp", "hub", "Ready", "False", "CredentialUnavailable")
    lab.apply_secret(lab.azure.clients["operator"].client_secret)
    lab.wait_ready("vnp/hub")


def test_sigterm_during_creation_ends_with_0_and_the_next_start_goes_on(lab: Lab) -> None:
    lab.apply(PEERING, HUB_BASTION)
    lab.wait_for(lab.writes, "the creation has begun")
    assert lab.operator.stop() == 0
    assert "Traceback" not in lab.operator.log.read_text()
    lab.operator.start()
    lab.wait_ready("vnp/hub", "bh/hub")
    assert created_once(lab)


def test_probes_and_metrics_tell_the_truth(lab: Lab) -> None:
    assert asked(f"{lab.operator.probe_url}/healthz") == (200, "ok")
    assert asked(f"{lab.operator.probe_url}/readyz") == (200, "ok")
    lab.apply(PEERING)
    lab.wait_ready("vnp/hub")
    # Counted when the pass has ended, which is after its status was written.
    passes = 'azurebastion_reconciles_total{kind="VNetPeering",result="ok"}'
    lab.wait_for(lambda: samples(lab).get(passes, 0) >= 1, "the pass is counted")
    values = samples(lab)
    halves = 'kind="VNetPeering",resource_type="virtualnetworks/virtualnetworkpeerings",verb="Create"'
    assert values[f"azurebastion_drift_total{{{halves}}}"] == 6
    assert values[f"azurebastion_writes_total{{{halves}}}"] == 6
    calls = sum(value for name, value in values.items() if name.startswith("azurebastion_azure_calls_total"))
    assert calls > 6
    peering = f'kind="VNetPeering",resource_name="hub",resource_namespace="{lab.namespace}"'
    ready = f"azurebastion_resource_ready{{{peering}}}"
    lab.wait_for(lambda: samples(lab).get(ready) == 1, "the metrics say that it is Ready")
    assert samples(lab)[f"azurebastion_resource_stalled{{{peering}}}"] == 0
    assert samples(lab)[f'azurebastion_inventory_age_seconds{{identity="{lab.namespace}"}}'] >= 0


def samples(lab: Lab) -> dict[str, float]:
    """Every series and its value now."""
    _, text = asked(lab.operator.metrics_url)
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def test_readiness_waits_for_the_api_server(lab: Lab) -> None:
    lab.operator.stop()
    lab.operator.start(wait=False)
    answers = []

    def ready() -> bool:
        try:
            answers.append(asked(f"{lab.operator.probe_url}/readyz"))
        except OSError:
            return False
        return answers[-1][0] == HTTPStatus.OK

    lab.wait_for(ready, "it becomes ready")
    assert all("not" in text for status, text in answers if status != HTTPStatus.OK)
