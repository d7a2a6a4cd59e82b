"""Alerts and dashboard as data, and the metrics that they ask for."""

import json
import re
from typing import Any

import yaml

from tests.support.deployment import ROOT

ALERTS = ROOT / "deploy/monitoring/alerts.yaml"
DASHBOARD = ROOT / "deploy/monitoring/dashboard.json"
METRIC = re.compile(r"\bazurebastion_[a-z_]+\b")
# What Grafana puts into a query before it sends it.
_VARIABLES = {"$__rate_interval": "5m", "$namespace": ".*"}


def alert_rules() -> list[dict[str, Any]]:
    """Every alert."""
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def dashboard_expressions() -> list[str]:
    """Every query of the dashboard, as Prometheus gets it."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    found = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    for name, value in _VARIABLES.items():
        found = [each.replace(name, value) for each in found]
    return found
