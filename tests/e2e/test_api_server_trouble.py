"""The API server restarted, gone, slow, refusing, and watches cut in silence: the operator comes back by itself."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

import pytest

from dev.operator_process import OperatorProcess
from tests.support.api_server_gate import ApiServerGate, Refusal
from tests.support.lab import OPERATOR_NAMESPACE, Lab, Manifest, example

(PEERING,) = example("vnet-peering.yaml")
SPOKES = PEERING["spec"]["spokes"]
CRD = "vnetpeerings.azurebastion.dev"


@pytest.fixture
def gate(lab_factory: Callable[..., Lab]) -> Iterator[tuple[Lab, ApiServerGate]]:
    """A lab whose operator reaches the API server through a gate."""
    lab = lab_factory()
    gate = ApiServerGate(lab.control_plane)
    gate.start()
    lab.operator = OperatorProcess(
        lab.control_plane,
        lab.azure,
        lab.folder,
        kubeconfig=gate.kubeconfig(lab.kubeconfig, lab.folder / "gate.kubeconfig"),
        operator_namespace=OPERATOR_NAMESPACE,
        speed=lab.operator_speed,
        namespaces=[lab.namespace],
    )
    try:
        yield lab, gate
    finally:
        lab.operator.kill()
        gate.stop()


@contextmanager
def liveness_watched(lab: Lab) -> Iterator[None]:
    """Fails if the liveness probe was red, or unanswered, at any moment."""
    ended, red = threading.Event(), []

    def look() -> None:
        while not ended.wait(0.2):
            try:
                with urllib.request.urlopen(f"{lab.operator.probe_url}/healthz", timeout=5):  # noqa: S310 - loopback
                    pass
            except (urllib.error.URLError, OSError) as error:
                red.append(repr(error))

    looker = threading.Thread(target=look)
    looker.start()
    try:
        yield
    finally:
        ended.set()
        looker.join()
    assert red == []


def link(name: str, spoke: Manifest, **spec: object) -> Manifest:
    """A VNetPeering of one spoke that nobody looks at by routine while the test runs."""
    copy: Manifest = json.loads(json.dumps(PEERING))
    copy["metadata"]["name"] = name
    copy["spec"] |= {"spokes": [spoke], "interval": "24h", **spec}
    return copy


def patch_first_column(lab: Lab, op: str, **fields: object) -> None:
    patch = [{"op": op, "path": "/spec/versions/0/additionalPrinterColumns/0", **fields}]
    lab.kubectl("patch", "crd", CRD, "--type=json", "-p", json.dumps(patch))


def carried_out(lab: Lab, name: str, flag: bool, what: str, *, seconds: float = 30.0) -> None:
    """Ask for another setting of a link, and wait until Azure has it and the status says so."""
    lab.apply(link(name, SPOKES[0], hubToSpoke={"allowForwardedTraffic": flag}))
    until_carried_out(lab, name, flag, what, seconds=seconds)


def until_carried_out(lab: Lab, name: str, flag: bool, what: str, *, seconds: float = 30.0) -> None:
    def done() -> bool:
        found = lab.get("vnp", name)
        conditions = found.get("status", {}).get("conditions", [])
        ready = [each for each in conditions if each["type"] == "Ready"]
        told = [(each["status"], each["observedGeneration"]) for each in ready]
        halves = [each for path, each in lab.azure.resources().items() if "/hub/virtualnetworkpeerings/" in path]
        return told == [("True", found["metadata"]["generation"])] and any(
            each["properties"]["allowForwardedTraffic"] is flag for each in halves
        )

    lab.wait_for(done, what, seconds=seconds)


def start_in_trouble(lab: Lab, way: ApiServerGate) -> None:
    """Start it while the API server does not answer (and end it once), then while the CRDs are not installed."""

    def said(words: str) -> bool:
        return lab.operator.log.exists() and words in lab.operator.log.read_text()

    with way.refusing(Refusal(503)):
        lab.operator.start(wait=False)
        lab.wait_for(lambda: said("waiting for the API server"), "it waits for an answer")
        assert lab.operator.stop() == 0
        lab.operator.start(wait=False)
        lab.wait_for(lambda: lab.operator.log.read_text().count("waiting for the API server") == 2, "it waits again")
    with way.refusing(Refusal(404, path="/apis/azurebastion.dev")):
        lab.wait_for(lambda: said("are the CRDs installed?"), "it waits for the CRDs")
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"{lab.operator.probe_url}/readyz", timeout=5)  # noqa: S310 - loopback
    lab.operator.wait_until_ready()


@pytest.mark.long
def test_it_comes_back_by_itself_from_every_trouble_and_no_status_is_lost(gate: tuple[Lab, ApiServerGate]) -> None:
    lab, way = gate
    start_in_trouble(lab, way)
    lab.apply(link("hub", SPOKES[0]))
    lab.wait_ready("vnp/hub")
    with liveness_watched(lab):
        # Watches that end without a word: what is made meanwhile is seen when they are opened anew.
        way.silence_watches()
        lab.apply(link("late", SPOKES[1]))
        lab.wait_ready("vnp/late")

        way.cut()
        carried_out(lab, "hub", False, "connections were cut")

        refusals = [
            Refusal(409, "PATCH", "/vnetpeerings/hub/status", left=3),
            Refusal(429, path="azurebastion.dev", left=3, headers={"Retry-After": "1"}),
        ]
        with way.refusing(*refusals):
            carried_out(lab, "hub", True, "statuses are refused, and there are too many requests")
        assert [each.given for each in refusals] == [3, 3]

        with way.slow(0.7):
            carried_out(lab, "hub", False, "every answer is late")

        # Credentials that are not taken for a while, by requests and by watches.
        expired = Refusal(401)
        with way.refusing(expired):
            way.cut()
            lab.apply(link("hub", SPOKES[0], hubToSpoke={"allowForwardedTraffic": True}))
            lab.wait_for(lambda: expired.given >= 10, "the credentials are refused again and again")
        until_carried_out(lab, "hub", True, "the credentials are taken again")

        # A column is added to the CRD under the running operator, and taken away.
        column = {"name": "Why", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].reason'}
        patch_first_column(lab, "add", value=column)
        carried_out(lab, "hub", False, "the CRD was changed")
        patch_first_column(lab, "remove")

        # Gone for five minutes of the operator's clock.
        lab.control_plane.stop_api_server(kill=True)
        threading.Event().wait(300 / lab.operator_speed)
        lab.control_plane.start_api_server()
        carried_out(lab, "hub", True, "the API server was away", seconds=60)
    made = [path for method, path, status in lab.writes() if method == "PUT" and status == HTTPStatus.CREATED]
    assert len(made) == len(set(made)) == 4
    log = lab.operator.log.read_text()
    assert "Traceback" not in log, log
    lab.delete("vnp")
