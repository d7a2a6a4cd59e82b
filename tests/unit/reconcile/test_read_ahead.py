"""What is read before the plan of a pass that goes on where an operation has ended."""

from bastion_operator.planning.model import Change, Verb
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.read_ahead import ReadAhead, roots_after
from tests.support.estates import vnet_id

KEY = Key(Kind.VNET_PEERING, "team", "net")
OTHER = Key(Kind.VNET_PEERING, "team", "other")
HUB = vnet_id("hub")


def half(local: str, remote: str) -> Change:
    local_id = vnet_id(local)
    link = f"{local_id}/virtualNetworkPeerings/to-{remote}"
    return Change(Verb.CREATE, link, local_id, "no peering leads there", also_read=(vnet_id(remote),))


def test_after_a_half_comes_what_it_was_judged_by_and_what_the_next_one_is() -> None:
    changes = [half(*ends) for spoke in ("a", "b", "c") for ends in (("hub", spoke), (spoke, "hub"))]
    after = roots_after(changes)
    assert set(after[HUB.lower()]) == {HUB, vnet_id("a"), vnet_id("b")}
    assert set(after[vnet_id("c").lower()]) == {vnet_id("c"), HUB}


def test_what_is_expected_is_taken_once_and_each_root_stands_in_it_once() -> None:
    ahead = ReadAhead()
    ahead.expect(KEY, [HUB, vnet_id("a")])
    ahead.expect(KEY, [HUB.upper()])
    assert ahead.expects(KEY)
    assert not ahead.expects(OTHER)
    assert ahead.take(KEY) == [HUB.upper(), vnet_id("a")]
    assert ahead.take(KEY) == []
    assert not ahead.expects(KEY)


def test_nothing_is_read_for_what_is_gone() -> None:
    ahead = ReadAhead()
    ahead.expect(KEY, [HUB])
    ahead.forget(KEY)
    assert ahead.take(KEY) == []
