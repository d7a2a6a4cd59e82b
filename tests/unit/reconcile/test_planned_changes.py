"""What a plan asks for anew is told once; what it asks for still is not told again."""

import pytest

from bastion_operator.planning.model import Change, Difference, Verb
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.planned_changes import PlannedChanges, type_of

KEY = Key(Kind.BASTION_HOST, "team", "hub")
OTHER = Key(Kind.BASTION_HOST, "team", "other")
HOST = "/subscriptions/a/resourceGroups/net/providers/Microsoft.Network/bastionHosts/hub"


def change(after: str, resource: str = HOST) -> Change:
    return Change(Verb.UPDATE, resource, resource, "", {"etag": after}, (Difference("sku.name", "Basic", after),))


def test_a_change_is_news_once_and_again_after_it_was_done() -> None:
    planned = PlannedChanges()
    one, other = change("Standard"), change("Standard", f"{HOST}2")
    assert planned.news(KEY, [one]) == [one]
    assert planned.news(KEY, [one, change("Standard", HOST.upper()), other]) == [other]
    assert planned.news(OTHER, [one]) == [one], "each custom resource is told of by itself"
    assert planned.news(KEY, []) == []
    assert planned.news(KEY, [one]) == [one]


def test_another_value_is_another_change() -> None:
    planned = PlannedChanges()
    planned.news(KEY, [change("Standard")])
    assert planned.news(KEY, [change("Premium")]) == [change("Premium")]


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        (HOST, "bastionhosts"),
        (
            "/subscriptions/a/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v/subnets/s",
            "virtualnetworks/subnets",
        ),
        (f"{HOST}/providers/Microsoft.Insights/diagnosticSettings/x", "diagnosticsettings"),
    ],
)
def test_the_type_of_a_resource_has_few_values(resource: str, kind: str) -> None:
    assert type_of(resource) == kind
