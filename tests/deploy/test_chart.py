"""The chart, rendered by the real helm: values that it takes, and those that it refuses in plain words."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure.identity import AzureAuthorityHosts

from bastion_operator.arm.cloud import Cloud
from dev.settings import settings
from tests.support.deployment import NAMESPACE, ROOT, Manifest
from tests.support.helm import CHART, CRD_CHART, Helm, HelmError, container_of, environment_of

pytestmark = pytest.mark.deploy

INSTALL_PAGE = ROOT / "docs/install.md"
# A value of each setting that is not its default.
SET: dict[str, Any] = {
    "namespaces": ["team-a", "team-b"],
    "installationID": "blue",
    "metricsBindAddress": "127.0.0.1:9000",
    "healthProbeBindAddress": ":9001",
    "leaderElect": True,
    "leaderElectLeaseDuration": "30s",
    "leaderElectRenewDeadline": "20s",
    "leaderElectRetryPeriod": "4s",
    "leaderElectResourceName": "blue",
    "leaderElectResourceNamespace": "leases",
    "workers": 3,
    "logLevel": "debug",
    "logFormat": "json",
    "tracesEndpoint": "http://collector.example:4318",
    "clockSpeed": 2.5,
}


@pytest.mark.parametrize("chart", [CHART, CRD_CHART], ids=lambda chart: chart.name)
def test_helm_finds_nothing_wrong_with_it(helm: Helm, chart: Path) -> None:
    assert "1 chart(s) linted, 0 chart(s) failed" in helm.run("lint", "--strict", str(chart))


def test_every_setting_becomes_the_variable_of_its_option(helm: Helm) -> None:
    known = {each.value: each.variable for each in settings() if each.value}
    assert SET.keys() == known.keys(), "this test sets every one of them"

    found = environment_of(helm.rendered(values={"settings": SET}))

    for value, variable in known.items():
        expected = SET[value]
        text = " ".join(expected) if isinstance(expected, list) else json.dumps(expected).strip('"')
        assert found.pop(variable) == text, value
    assert found == {}


def test_what_is_not_set_is_left_to_the_operator(helm: Helm) -> None:
    assert environment_of(helm.rendered()) == {}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"settings": {"workers": 0}}, "/settings/workers"),
        ({"settings": {"workers": "many"}}, "/settings/workers"),
        ({"settings": {"worker": 8}}, "worker"),
        ({"settings": {"logLevel": "loud"}}, "/settings/logLevel"),
        ({"settings": {"namespaces": ["Team A"]}}, "/settings/namespaces/0"),
        ({"settings": {"leaderElectLeaseDuration": "15"}}, "/settings/leaderElectLeaseDuration"),
        ({"settings": {"metricsBindAddress": "8080"}}, "/settings/metricsBindAddress"),
        ({"replicas": 3}, "replicas"),
        ({"replicaCount": 0}, "/replicaCount"),
        ({"image": {"digest": "latest"}}, "/image/digest"),
        ({"image": {"repository": "registry.example/operator:1"}}, "/image/repository"),
        ({"cloud": {"name": "Azure"}}, "/cloud/name"),
        ({"cloud": {"name": "Custom", "authorityHost": "http://login.example"}}, "/cloud/authorityHost"),
        ({"defaultIdentity": {"allowedSubscriptions": ["hub"]}}, "/defaultIdentity/allowedSubscriptions/0"),
        ({"proxy": {"https": "http://user:word@proxy.example:3128"}}, "/proxy/https"),
        ({"networkPolicy": {"egressPorts": [0]}}, "/networkPolicy/egressPorts/0"),
        ({"podDisruptionBudget": {"maxUnavailable": 0}}, "/podDisruptionBudget/maxUnavailable"),
        ({"settings": {"leaderElect": False}}, "they would undo each other's work; set replicaCount to 1"),
        ({"cloud": {"name": "Custom"}}, "cloud.name Custom needs cloud.authorityHost"),
        ({"cloud": {"authorityHost": "https://login.example"}}, "or set cloud.name Custom"),
        ({"defaultIdentity": {"create": True}}, "needs defaultIdentity.clientID"),
        (
            {"defaultIdentity": {"create": True, "type": "ServicePrincipal", "clientID": "0" * 8 + "-0000-0000-0000-" + "0" * 12}},
            "needs defaultIdentity.secretName",
        ),
        ({"defaultIdentity": {"create": True, "type": "ManagedIdentity"}}, "defaultIdentity.tenantID is required"),
        (
            {"defaultIdentity": {"create": True, "type": "ManagedIdentity", "secretName": "azure"}},
            "ManagedIdentity has no secret",
        ),
        ({"proxy": {"secretName": "proxy"}}, "proxy.secretName needs proxy.port"),
        (
            {"proxy": {"https": "http://proxy.example:3128", "secretName": "proxy", "port": 3128}},
            "proxy.secretName stands in place of proxy.https",
        ),
        (
            {"proxy": {"noProxy": [".example"]}, "extraEnv": [{"name": "no_proxy", "value": ".svc"}]},
            "extraEnv sets NO_PROXY",
        ),
        ({"serviceAccount": {"create": False}}, "name the account that is there"),
        (
            {"settings": {"metricsBindAddress": "0"}, "monitoring": {"podMonitor": {"enabled": True}}},
            "there would be nothing to scrape",
        ),
    ],
    ids=str,
)  # fmt: skip
def test_wrong_values_are_refused_by_name(helm: Helm, values: dict[str, Any], says: str) -> None:
    with pytest.raises(HelmError) as refused:
        helm.rendered(values=values)

    assert says in str(refused.value)


def test_the_chart_of_the_crds_takes_no_values(helm: Helm) -> None:
    with pytest.raises(HelmError, match="enabled"):
        helm.rendered(CRD_CHART, {"enabled": True})


@pytest.mark.parametrize(
    ("name", "authority"),
    [
        ("AzureUSGovernment", AzureAuthorityHosts.AZURE_GOVERNMENT),
        ("AzureChina", AzureAuthorityHosts.AZURE_CHINA),
    ],
)
def test_a_clouds_endpoints_are_those_that_the_sdk_knows(helm: Helm, name: str, authority: str) -> None:
    cloud = Cloud.from_environment(environment_of(helm.rendered(values={"cloud": {"name": name}})))

    assert cloud.authority == f"https://{authority}"
    assert cloud.verify_authority
    assert cloud.resource_manager.startswith("https://management.")


def test_another_cloud_is_named_by_both_endpoints(helm: Helm) -> None:
    endpoints = {"authorityHost": "https://login.example", "resourceManagerEndpoint": "https://arm.example"}

    cloud = Cloud.from_environment(environment_of(helm.rendered(values={"cloud": {"name": "Custom", **endpoints}})))

    assert (cloud.authority, cloud.resource_manager) == ("https://login.example", "https://arm.example")


def test_a_proxys_port_is_let_through_and_the_cluster_is_excepted(helm: Helm) -> None:
    manifests = helm.rendered(values={"proxy": {"https": "http://proxy.example:3128", "noProxy": [".corp.example"]}})

    environment = environment_of(manifests)
    assert environment["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert environment["NO_PROXY"].startswith("$(KUBERNETES_SERVICE_HOST),.svc,")
    assert environment["NO_PROXY"].endswith(",.corp.example")
    assert _ports_let_out(manifests) == [443, 6443, 3128]


def test_a_proxy_that_wants_a_password_is_named_by_a_secret(helm: Helm) -> None:
    proxy = {"secretName": "way-out", "secretKey": "url", "port": 3128, "noProxy": [".corp.example"]}

    manifests = helm.rendered(values={"proxy": proxy})

    environment = {each["name"]: each for each in container_of(manifests)["env"]}
    assert environment["HTTPS_PROXY"] == {
        "name": "HTTPS_PROXY",
        "valueFrom": {"secretKeyRef": {"name": "way-out", "key": "url"}},
    }
    assert environment["NO_PROXY"]["value"].startswith("$(KUBERNETES_SERVICE_HOST),.svc,")
    assert environment["NO_PROXY"]["value"].endswith(",.corp.example")
    assert _ports_let_out(manifests) == [443, 6443, 3128]


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY"])
def test_the_cluster_is_excepted_from_a_proxy_among_further_variables(helm: Helm, name: str) -> None:
    further = [{"name": name, "value": "http://proxy.example:3128"}]

    manifests = helm.rendered(values={"extraEnv": further, "proxy": {"port": 3128}})

    assert environment_of(manifests)["NO_PROXY"].startswith("$(KUBERNETES_SERVICE_HOST),.svc,")
    assert _ports_let_out(manifests) == [443, 6443, 3128]


def test_exceptions_of_ones_own_are_set_once(helm: Helm) -> None:
    further = [{"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"}, {"name": "NO_PROXY", "value": "10.0.0.1"}]

    names = [each["name"] for each in container_of(helm.rendered(values={"extraEnv": further}))["env"]]

    assert names.count("NO_PROXY") == 1


def test_exceptions_without_a_proxy_stand_for_one_that_the_cluster_sets(helm: Helm) -> None:
    environment = environment_of(helm.rendered(values={"proxy": {"noProxy": [".corp.example"]}}))

    assert environment["NO_PROXY"].endswith(",.corp.example")


def _ports_let_out(manifests: tuple[Manifest, ...]) -> list[int]:
    (policy,) = (each for each in manifests if each["kind"] == "NetworkPolicy")
    return [port["port"] for port in policy["spec"]["egress"][1]["ports"]]


@pytest.mark.parametrize(
    ("collector", "port"),
    [
        ("http://collector.example:4318", 4318),
        ("http://collector-1", 80),
        ("https://10.0.0.7/team-a", 443),
        ("http://[fd00::1]:4318", 4318),
        ("http://[fd00::1]", 80),
    ],
)
def test_a_collectors_port_is_let_through_and_a_number_at_the_end_of_its_name_is_none(
    helm: Helm, collector: str, port: int
) -> None:
    manifests = helm.rendered(values={"settings": {"tracesEndpoint": collector}})

    (policy,) = (each for each in manifests if each["kind"] == "NetworkPolicy")
    ports = [each["port"] for each in policy["spec"]["egress"][1]["ports"]]
    assert ports == list(dict.fromkeys([443, 6443, port]))


def test_ports_follow_the_addresses_and_go_with_them(helm: Helm) -> None:
    moved = helm.rendered(values={"settings": {"metricsBindAddress": ":9000", "healthProbeBindAddress": "[::]:9001"}})
    none = helm.rendered(values={"settings": {"metricsBindAddress": "0", "healthProbeBindAddress": "0"}})

    assert [port["containerPort"] for port in container_of(moved)["ports"]] == [9000, 9001]
    assert not {"ports", "livenessProbe", "readinessProbe", "startupProbe"} & container_of(none).keys()
    (policy,) = (each for each in none if each["kind"] == "NetworkPolicy")
    assert policy["spec"]["ingress"] == []


def test_one_replica_without_an_election_is_stopped_before_its_successor_starts(helm: Helm) -> None:
    manifests = helm.rendered(values={"replicaCount": 1, "settings": {"leaderElect": False}})

    (deployment,) = (each for each in manifests if each["kind"] == "Deployment")
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_a_digest_goes_before_a_tag(helm: Helm) -> None:
    digest = "sha256:" + "ab" * 32
    image = {"repository": "registry.example:5000/bastion-operator", "tag": "7"}

    assert container_of(helm.rendered(values={"image": image}))["image"] == "registry.example:5000/bastion-operator:7"
    assert (
        container_of(helm.rendered(values={"image": {**image, "digest": digest}}))["image"]
        == f"registry.example:5000/bastion-operator@{digest}"
    )


def test_an_identity_by_workload_identity_brings_its_token_along(helm: Helm) -> None:
    identity = {"create": True, "clientID": "1" * 8 + "-1111-1111-1111-" + "1" * 12}
    identity["tenantID"] = identity["clientID"]

    manifests = helm.rendered(values={"defaultIdentity": identity})

    path = environment_of(manifests)["AZURE_FEDERATED_TOKEN_FILE"]
    (mount,) = container_of(manifests)["volumeMounts"]
    assert path.startswith(mount["mountPath"] + "/")
    (made,) = (each for each in manifests if each["kind"] == "AzureIdentity")
    assert made["metadata"]["name"] == "default"
    assert "allowedNamespaces" not in made["spec"], "nobody may use it unless it is said"


def test_the_lease_may_lie_elsewhere_under_another_name(helm: Helm) -> None:
    manifests = helm.rendered(
        values={"settings": {"leaderElectResourceName": "blue", "leaderElectResourceNamespace": "leases"}}
    )

    roles = {each["metadata"]["namespace"]: each["rules"] for each in manifests if each["kind"] == "Role"}
    assert roles.keys() == {NAMESPACE, "leases"}
    assert ["blue"] in [rule.get("resourceNames") for rule in roles["leases"]]
    assert not [rule for rule in roles[NAMESPACE] if "leases" in rule["resources"]]


def test_runbooks_lead_to_where_they_are_read(helm: Helm) -> None:
    rule = {"enabled": True, "runbookURL": "https://docs.example/runbooks/"}

    manifests = helm.rendered(values={"monitoring": {"prometheusRule": rule}})

    (made,) = (each for each in manifests if each["kind"] == "PrometheusRule")
    urls = [each["annotations"]["runbook_url"] for group in made["spec"]["groups"] for each in group["rules"]]
    assert len(urls) > 5
    assert {url.rpartition("/")[0] for url in urls} == {"https://docs.example/runbooks"}


def test_the_charts_have_the_version_of_the_project(helm: Helm) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    for chart in (CHART, CRD_CHART):
        told = yaml.safe_load(helm.run("show", "chart", str(chart)))
        assert told["version"] == told["appVersion"] == version
    assert container_of(helm.rendered())["image"] == f"bastion-operator:{version}"


def test_the_values_of_the_pages_are_taken(helm: Helm) -> None:
    blocks = re.findall(r"^```yaml\n# values\.yaml\n(.*?)^```", INSTALL_PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert blocks

    for block in blocks:
        manifests = helm.rendered(values=yaml.safe_load(block))
        assert container_of(manifests)["image"].startswith("REGISTRY/bastion-operator:")
