"""What a look at the targets leaves in the status."""

from bastion_operator.api.bastion_host import MAX_REPORTS, BastionHostSpec, BastionHostStatus
from bastion_operator.planning.target_findings import TargetFindings
from bastion_operator.reconcile.verdicts import TargetsSeen

SPEC = BastionHostSpec.model_validate(
    {
        "virtualNetworkID": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/"
        "Microsoft.Network/virtualNetworks/hub",
        "managementPolicy": "Observe",
    }
)


def test_a_status_names_the_first_of_more_reports_than_it_may_name() -> None:
    names = tuple(f"hub-{number}" for number in range(MAX_REPORTS + 1))
    status = TargetsSeen(TargetFindings(verdicts=[]), names).into(BastionHostStatus(), SPEC)
    assert status.reports == names[:MAX_REPORTS]


def test_without_an_inventory_the_status_stays() -> None:
    before = BastionHostStatus(reachable="1/2", reports=("b-0-0",))
    assert TargetsSeen(TargetFindings()).into(before, SPEC) is before
