"""What the charts, and the settings for Argo CD, hold that is made from other files of the repository, so that nothing is said twice.

The rights are those of deploy/base, the settings those of `bastion-operator run`, the alerts and the dashboard those of
deploy/monitoring, the custom resource definitions those of crds/.
"""

import json
from collections.abc import Callable, Iterable
from copy import deepcopy
from pathlib import Path
from textwrap import indent
from typing import Any, Final

import yaml

from bastion_operator.api import KINDS
from bastion_operator.api.crds import render_crd
from bastion_operator.api.meta import GROUP
from dev.settings import settings_schema

Rule = dict[str, Any]

CHART: Final = "deploy/charts/bastion-operator"
CRD_CHART: Final = "deploy/charts/bastion-operator-crds"
MONITORING: Final = "deploy/monitoring"
ARGOCD: Final = "deploy/argocd"
ONE_NAMESPACE: Final = "deploy/components/one-namespace"
_SOURCES: Final = ("deploy/base/cluster_role.yaml", "deploy/base/role.yaml")
_HEAD: Final = "# Made from {source} by `make generate`; do not edit.\n"
# Helm leaves what carries this when a chart goes. https://helm.sh/docs/howto/charts_tips_and_tricks/
_KEEP: Final = """\
metadata:
  annotations:
    helm.sh/resource-policy: keep
  labels:
    app.kubernetes.io/name: bastion-operator
    app.kubernetes.io/part-of: bastion-operator
"""
# What the operator uses that lies in no namespace: it cannot be had by a Role.
_CLUSTER_SCOPED: Final = frozenset(
    {"azureidentities", "azureidentities/status", "azureidentities/finalizers", "namespaces"}
)


def chart_files(root: Path) -> dict[str, str]:
    """Path, relative to the repository, and content of each of these files."""
    rights = _rights(root)
    alerts, dashboard = f"{MONITORING}/alerts.yaml", f"{MONITORING}/dashboard.json"
    schema = f"{CHART}/values.schema.json"
    return {
        **{f"{CRD_CHART}/templates/{GROUP}_{kind.names.plural}.yaml": _kept(render_crd(kind)) for kind in KINDS},
        f"{CHART}/files/rights.yaml": _HEAD.format(source="deploy/base") + _dump(rights),
        f"{ONE_NAMESPACE}/cluster_role.yaml": _HEAD.format(source="deploy/base") + _dump(_replaced(rights["cluster"])),
        f"{ONE_NAMESPACE}/roles.yaml": _HEAD.format(source="deploy/base") + _namespaced_roles(rights),
        f"{CHART}/files/alerts.yaml": (root / alerts).read_text(encoding="utf-8"),
        f"{CHART}/files/dashboard.json": (root / dashboard).read_text(encoding="utf-8"),
        f"{MONITORING}/prometheus_rule.yaml": _prometheus_rule(root / alerts),
        f"{ARGOCD}/argocd-cm.yaml": argocd_settings(root),
        schema: _with_settings((root / schema).read_text(encoding="utf-8")),
    }


def _kept(definition: str) -> str:
    return _HEAD.format(source="the models") + definition.replace("metadata:\n", _KEEP, 1)


def _rights(root: Path) -> dict[str, list[Rule]]:
    """The rules by where they are bound: ``cluster``, ``namespaced``, ``events`` (of both), ``own``, ``leases``."""
    everywhere, own = (_rules(root / source) for source in _SOURCES)
    namespaced = _part(everywhere, lambda resource: resource not in _CLUSTER_SCOPED)
    return {
        "cluster": _part(everywhere, lambda resource: resource in _CLUSTER_SCOPED),
        "namespaced": namespaced,
        "events": _part(namespaced, lambda resource: resource == "events"),
        "own": _part(own, lambda resource: resource != "leases"),
        "leases": _part(own, lambda resource: resource == "leases"),
    }


def _rules(path: Path) -> list[Rule]:
    role, _ = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    rules: list[Rule] = role["rules"]
    return rules


def _part(rules: Iterable[Rule], wanted: Callable[[str], bool]) -> list[Rule]:
    parts = ({**deepcopy(rule), "resources": [each for each in rule["resources"] if wanted(each)]} for rule in rules)
    return [part for part in parts if part["resources"]]


def _replaced(rules: list[Rule]) -> list[dict[str, Any]]:
    """A JSON patch that puts these rules in the place of a role's own."""
    return [{"op": "replace", "path": "/rules", "value": rules}]


def _namespaced_roles(rights: dict[str, list[Rule]]) -> str:
    """Roles for one watched namespace, and for the one in which Events on what lies in no namespace stand."""
    parts = (("bastion-operator-watched", "team-a", "namespaced"), ("bastion-operator-events", "default", "events"))
    return "---\n".join(_dump(each) for part in parts for each in _bound_role(*part, rights))


def _bound_role(name: str, namespace: str, part: str, rights: dict[str, list[Rule]]) -> tuple[Rule, Rule]:
    group = "rbac.authorization.k8s.io"
    head = {"apiVersion": f"{group}/v1", "metadata": {"name": name, "namespace": namespace}}
    account = {"kind": "ServiceAccount", "name": "bastion-operator", "namespace": "bastion-operator"}
    reference = {"apiGroup": group, "kind": "Role", "name": name}
    return (
        deepcopy({**head, "kind": "Role", "rules": rights[part]}),
        deepcopy({**head, "kind": "RoleBinding", "roleRef": reference, "subjects": [account]}),
    )


def _prometheus_rule(alerts: Path) -> str:
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "bastion-operator", "namespace": "bastion-operator"},
        "spec": yaml.safe_load(alerts.read_text(encoding="utf-8")),
    }
    return _HEAD.format(source="alerts.yaml") + _dump(rule)


def argocd_settings(root: Path) -> str:
    """A patch of the ConfigMap argocd-cm with the health check for every kind of the group.

    Only the key ``resource.customizations`` takes a star for the kind: one that is a name of its own may not hold it.
    https://argo-cd.readthedocs.io/en/stable/operator-manual/health/
    """
    check = (root / ARGOCD / "resource_customizations" / GROUP / "_/health.lua").read_text(encoding="utf-8")
    head = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: argocd-cm\n  namespace: argocd\ndata:\n"
        f"  resource.customizations: |\n    {GROUP}/*:\n      health.lua: |\n"
    )
    return _HEAD.format(source="health.lua") + head + indent(check, " " * 8)


def _with_settings(schema: str) -> str:
    parsed = json.loads(schema)
    parsed["properties"]["settings"] = settings_schema()
    return json.dumps(parsed, indent=2) + "\n"


def _dump(content: object) -> str:
    return yaml.safe_dump(content, sort_keys=False, width=1000)
