"""How a person connects: the command of az or the portal's page, by what the verdict says."""

import shlex
from dataclasses import replace
from typing import Any

import pytest

from bastion_operator.cli.connection import Wanted, Way, connection
from bastion_operator.cli.errors import Refusal
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, Via, judge
from tests.support.estates import GROUP, SUBSCRIPTION, bastion_id, hub_and_spoke, vm_id

TENANT = "00000000-0000-0000-0000-00000000000f"


def verdict(protocol: str = "SSH", port: int | None = None, **options: Any) -> Verdict:
    """The verdict on ``web`` behind Bastion ``bas``; options of the Bastion."""
    inventory = Inventory.from_rows(hub_and_spoke(**{"enableTunneling": True, **options}))
    return judge(inventory, vm_id("web"), protocol=protocol, port=port)


def words(found: tuple[str, ...] | str) -> list[str]:
    assert not isinstance(found, str)
    return list(found)


COMMON = [
    "--subscription",
    SUBSCRIPTION,
    "--resource-group",
    GROUP,
    "--name",
    "bas",
    "--target-resource-id",
    vm_id("web"),
]


@pytest.mark.parametrize(
    ("asked", "wanted", "windows", "method", "options"),
    [
        (verdict(), Wanted(), False, "ssh", ["--auth-type", "AAD"]),
        (verdict(port=2222), Wanted(), False, "ssh", ["--resource-port", "2222", "--auth-type", "AAD"]),
        (verdict(), Wanted(user="me"), False, "ssh", ["--auth-type", "password", "--username", "me"]),
        (
            verdict(),
            Wanted(user="me", ssh_key="a key"),
            False,
            "ssh",
            ["--auth-type", "ssh-key", "--username", "me", "--ssh-key", "a key"],
        ),
        (verdict("RDP"), Wanted(), False, "tunnel", ["--resource-port", "3389", "--port", "3389"]),
        (verdict("RDP"), Wanted(), True, "rdp", []),
        (verdict(), Wanted("tunnel", local_port=99), False, "tunnel", ["--resource-port", "22", "--port", "99"]),
    ],
)
def test_the_native_client_is_taken_where_the_bastion_has_it(
    asked: Verdict, wanted: Wanted, windows: bool, method: str, options: list[str]
) -> None:
    found = words(connection(asked, wanted, Way(windows=windows)))
    assert found == ["az", "network", "bastion", method, *COMMON, *options]
    assert shlex.split(shlex.join(found)) == found


def test_without_the_native_client_the_portal_is_opened_on_the_vms_page() -> None:
    plain = verdict(enableTunneling=False)
    page = f"{vm_id('web')}/bastionHost"
    assert connection(plain, Wanted(), Way(TENANT)) == f"https://portal.azure.com/#@{TENANT}/resource{page}"
    assert connection(plain, Wanted(), Way()) == f"https://portal.azure.com/#resource{page}"


@pytest.mark.parametrize(
    ("asked", "wanted", "told"),
    [
        (verdict(), Wanted("rdp"), "--method rdp does not speak"),
        (verdict("RDP"), Wanted("ssh"), "--method ssh does not speak"),
        (verdict(), Wanted("tunnel", user="me"), "are for ssh"),
        (verdict(), Wanted(ssh_key="key"), "whose key"),
        (verdict(), Wanted(local_port=99), "is for a tunnel"),
        (verdict(enableTunneling=False), Wanted("ssh"), "has it off"),
    ],
)
def test_what_does_not_go_together_is_refused(asked: Verdict, wanted: Wanted, told: str) -> None:
    with pytest.raises(Refusal, match=told) as caught:
        connection(asked, wanted, Way())
    assert caught.value.remedy


def test_over_ip_connect_the_address_is_the_target_and_nobody_signs_in_with_entra() -> None:
    asked = replace(verdict(), via=Via.IP_CONNECT)
    with pytest.raises(Refusal, match="nobody signs in with Entra"):
        connection(asked, Wanted(), Way(address="10.3.1.4"))
    with pytest.raises(Refusal, match="reports do not hold"):
        connection(asked, Wanted(user="me"), Way())
    found = words(connection(asked, Wanted(user="me"), Way(address="10.3.1.4")))
    assert found[10:12] == ["--target-ip-address", "10.3.1.4"]
    assert str(connection(asked, Wanted("portal"), Way())).endswith(f"#resource{bastion_id('bas')}")
