"""Deliberate defects are caught: what these tests say can fail."""

from collections.abc import Callable

import pytest

from tests.faults.mutations import MUTATIONS, checked, times_found


def test_every_deliberate_defect_has_its_place_in_the_source() -> None:
    assert {each.name: times_found(each) for each in MUTATIONS} == {each.name: 1 for each in MUTATIONS}


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_every_deliberate_defect_is_caught_by_its_test(figure: Callable[[str], None]) -> None:
    assert len(MUTATIONS) >= 10
    caught = [each.name for each in checked(MUTATIONS)]
    figure(f"mutations: {len(caught)} of {len(MUTATIONS)} defects caught")
    assert caught == [each.name for each in MUTATIONS]
