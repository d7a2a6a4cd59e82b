"""Alerts and dashboard, judged by the real promtool: they parse, fire on what they are about, and are all tested."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.monitoring import ALERTS, alert_rules, dashboard_expressions

pytestmark = pytest.mark.deploy

Promtool = Callable[..., str]
TESTS = Path(__file__).with_name("alerts_test.yaml")


def test_promtool_finds_nothing_wrong_with_the_rules(promtool: Promtool) -> None:
    answer = promtool("check", "rules", "--lint=all", "--lint-fatal", str(ALERTS))

    assert f"SUCCESS: {len(alert_rules())} rules found" in answer


def test_each_alert_fires_on_what_it_is_about(promtool: Promtool) -> None:
    tested = {
        case["alertname"]
        for test in yaml.safe_load(TESTS.read_text())["tests"]
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert tested == {rule["alert"] for rule in alert_rules()}

    assert "SUCCESS" in promtool("test", "rules", str(TESTS))


def test_a_rule_that_does_not_fire_would_be_seen(promtool: Promtool, tmp_path: Path) -> None:
    rules = ALERTS.read_text().replace(
        "(azurebastion_resource_stalled) == 1\n        for: 15m",
        "(azurebastion_resource_stalled) == 2\n        for: 15m",
    )
    assert rules != ALERTS.read_text()
    (tmp_path / "alerts.yaml").write_text(rules)
    (tmp_path / "tests.yaml").write_text(
        TESTS.read_text().replace("../../deploy/monitoring/alerts.yaml", "alerts.yaml")
    )

    with pytest.raises(AssertionError, match="BastionResourceStalled"):
        promtool("test", "rules", str(tmp_path / "tests.yaml"))


def test_every_query_of_the_dashboard_parses(promtool: Promtool, tmp_path: Path) -> None:
    records = [
        {"record": f"dashboard:query:{number}", "expr": expression}
        for number, expression in enumerate(dashboard_expressions())
    ]
    assert len(records) > 10
    path = tmp_path / "dashboard.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": records}]}))

    assert f"SUCCESS: {len(records)} rules found" in promtool("check", "rules", str(path))
