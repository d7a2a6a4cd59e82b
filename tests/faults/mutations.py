"""Deliberate defects in the operator, and the fast test that catches each: these tests can fail.

`.venv/bin/python -m tests.faults.mutations` puts each defect into a copy of the source and runs its test there; a defect that its test
lets pass, or a text that is not in the source any more, ends it with 1. Names after it choose some: `… guard-removed`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "operator"
_FAILED = 1
_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Mutation:
    """One defect.

    :ivar file: in which it is, below ``operator/bastion_operator``
    :ivar before: the text that it replaces, of which there must be just one
    :ivar test: the file of its test below ``tests``, and the test
    """

    name: str
    file: str
    before: str
    after: str
    test: str


_PLANNING = "unit/planning"
MUTATIONS = (
    Mutation(
        "if-match-forgotten",
        "planning/peering_half.py",
        "reason, body, changes, etag(link.body), also_read",
        "reason, body, changes, also_read",
        f"{_PLANNING}/test_peering_plan.py::test_a_changed_flag_is_put_with_the_whole_body_that_was_read_and_its_etag",
    ),
    Mutation(
        "guard-removed",
        "planning/deletion_guard.py",
        "if not waiting or not _too_many(waiting, before, part_of):",
        "if waiting is not None:",
        f"{_PLANNING}/test_deletion_guard.py::test_a_selector_that_suddenly_matches_nothing_cuts_nothing",
    ),
    Mutation(
        "any-hash-allows",
        "planning/deletion_guard.py",
        "return claim.guarded_plan is not None and claim.guarded_plan == allowed",
        "return allowed is not None",
        f"{_PLANNING}/test_deletion_guard.py::test_what_joins_a_plan_after_it_was_allowed_needs_a_word_of_its_own",
    ),
    Mutation(
        "retry-dropped",
        "reconcile/attempts.py",
        "return Attempt(resource_id, error, failures, since, now + wait,",
        "return Attempt(resource_id, error, failures, since, math.inf,",
        "unit/reconcile/test_attempts.py::test_waits_grow_with_failures_in_a_row",
    ),
    Mutation(
        "retry-after-ignored",
        "arm/errors.py",
        "return self.retry_after or min(",
        "return min(",
        "unit/reconcile/test_attempts.py::test_azures_own_wait_goes_before_ours",
    ),
    Mutation(
        "ownership-inverted",
        "planning/ownership.py",
        "return all(tags.get(tag) == value for tag, value in self.tags().items() if tag != UID_TAG)",
        "return not all(tags.get(tag) == value for tag, value in self.tags().items() if tag != UID_TAG)",
        f"{_PLANNING}/test_bastion_ownership.py::test_a_host_with_the_mark_is_the_operators_also_after_the_status_was_lost",
    ),
    Mutation(
        "adopted-deleted",
        "planning/peering_removal.py",
        "if claim.origin is ClaimOrigin.ADOPTED:",
        "if claim.origin is None:",
        f"{_PLANNING}/test_peering_removal.py::test_an_adopted_link_that_was_made_anew_under_our_name_is_still_never_deleted",
    ),
    Mutation(
        "unread-taken-for-gone",
        "planning/peering_removal.py",
        "if not observed.looked_at(network_id):",
        "if observed is None:",
        f"{_PLANNING}/test_peering_removal.py::test_what_no_source_has_said_anything_of_is_not_gone",
    ),
    Mutation(
        "claim-not-written-ahead",
        "planning/peering_half.py",
        "plan = replace(plan, claims=with_claim(plan.claims, claim))\n    if other.link",
        "del claim\n    if other.link",
        f"{_PLANNING}/test_peering_plan.py::test_both_halves_are_made_under_names_of_their_own_and_claimed_ahead",
    ),
    Mutation(
        "gateway-cut",
        "planning/peering_leavers.py",
        "if due is None or now < due or _carries_gateways(links):",
        "if due is None or now < due:",
        f"{_PLANNING}/test_peering_selector.py::test_a_link_with_remote_gateways_stays_whatever_the_policy",
    ),
    Mutation(
        "grace-forgotten",
        "planning/peering_leavers.py",
        "return left.since + selector.leave_grace",
        "return left.since",
        f"{_PLANNING}/test_peering_selector.py::test_with_delete_the_peering_stays_for_the_grace_and_says_until_when",
    ),
    Mutation(
        "grace-by-one-clock",
        "planning/vnet_peering.py",
        "latest = asked.latest or asked.now",
        "latest = asked.now",
        f"{_PLANNING}/test_peering_selector.py::test_a_grace_begins_by_the_later_of_two_clocks_and_ends_by_the_earlier",
    ),
    Mutation(
        "unmarked-rule-deleted",
        "planning/rule_mark.py",
        'return self.names(str(rule.get("name", ""))) and self.marks(rule) and claim_on(claims, rule_id) is not None',
        "return claim_on(claims, rule_id) is not None",
        f"{_PLANNING}/test_target_rules.py::test_a_rule_whose_mark_somebody_took_off_is_kept_and_told_on_deletion",
    ),
    Mutation(
        "foreign-subnet-deleted",
        "planning/bastion_removal.py",
        "if claim.origin is not ClaimOrigin.CREATED or claim.detail not in subnet_prefixes(body):",
        "if claim.origin is None:",
        f"{_PLANNING}/test_bastion_removal.py::test_a_subnet_with_another_prefix_than_was_claimed_is_somebody_elses",
    ),
    Mutation(
        "rule-gone-before-its-successor",
        "planning/rule_changes.py",
        "changes = moves if moves and rules.purpose == SUBNET_RULE else [*moves, *deletions]",
        "changes = [*moves, *deletions]",
        f"{_PLANNING}/test_bastion_group.py::test_the_rule_for_clients_goes_only_once_the_one_in_its_place_is_there",
    ),
    Mutation(
        "in-use-deleted",
        "planning/bastion_removal.py",
        "    if others:\n",
        "    if others is None:\n",
        f"{_PLANNING}/test_bastion_removal.py::test_a_subnet_that_something_else_uses_is_kept_whatever_its_name",
    ),
    Mutation(
        "whole-body-dropped",
        "planning/body.py",
        "changed: dict[str, Any] = deepcopy(dict(body))",
        "changed: dict[str, Any] = {}",
        f"{_PLANNING}/test_bastion_plan.py::test_a_put_on_a_host_that_stands_is_the_body_that_was_read_with_the_named_fields_changed",
    ),
    Mutation(
        "signed-url-told",
        "arm/errors.py",
        'return _without_urls(str(error.get("message") or "").strip())',
        'return str(error.get("message") or "").strip()',
        "unit/arm/test_errors.py::test_signed_urls_do_not_get_into_messages",
    ),
    Mutation(
        "proxy-404-taken-for-absence",
        "arm/errors.py",
        "return self.status == _NOT_FOUND and said_so",
        "return self.status == _NOT_FOUND",
        "unit/arm/test_errors.py::test_a_404_of_a_proxy_or_of_a_subscription_is_no_absence",
    ),
    Mutation(
        "noted-in-a-thread",
        "handlers/watches.py",
        "async def noted(",
        "def noted(",
        "component/reconcile/test_watches.py::test_the_watches_give_nothing_to_threads",
    ),
)


class MutationError(Exception):
    """A defect that cannot be put in, or that was not caught."""


def check(mutation: Mutation, copy: Path) -> None:
    """Put the defect into the copy of the source, run its test, and take it out again. Raises MutationError."""
    file = copy / "bastion_operator" / mutation.file
    text = file.read_text()
    if (times := times_found(mutation, copy)) != 1:
        raise MutationError(f"{mutation.name}: {mutation.file} has its text {times} times, not once")
    file.write_text(text.replace(mutation.before, mutation.after))
    try:
        status, said = run_test(mutation.test, copy)
    finally:
        file.write_text(text)
    if status != _FAILED:
        raise MutationError(f"{mutation.name}: {mutation.test} ended with {status}, not with a failure\n{said}")


def times_found(mutation: Mutation, source: Path = SOURCE) -> int:
    """How often the source has the text that the mutation replaces."""
    return (source / "bastion_operator" / mutation.file).read_text().count(mutation.before)


def run_test(test: str, copy: Path) -> tuple[int, str]:
    """The exit code of pytest on one test of the copy, and what it said."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"tests/{test}"]
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    return done.returncode, done.stdout[-2000:] + done.stderr[-2000:]


def copied(folder: Path) -> Path:
    """A copy of the source; importing it goes before the installed one."""
    shutil.copytree(
        SOURCE / "bastion_operator", folder / "bastion_operator", ignore=shutil.ignore_patterns("__pycache__")
    )
    return folder


def checked(mutations: Iterable[Mutation]) -> Iterator[Mutation]:
    """Each mutation once it was caught; first of all, every test must pass without any. Raises MutationError."""
    chosen = list(mutations)
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(Path(folder))
        for test in dict.fromkeys(each.test for each in chosen):
            status, said = run_test(test, copy)
            if status:
                raise MutationError(f"{test} fails without a defect\n{said}")
        for mutation in chosen:
            check(mutation, copy)
            yield mutation


def main(names: list[str]) -> int:
    """Check all mutations, or those of these names; returns the exit code."""
    unknown = set(names) - {each.name for each in MUTATIONS}
    if unknown:
        sys.stderr.write(f"no such mutation: {', '.join(sorted(unknown))}\n")
        return 2
    try:
        for mutation in checked(each for each in MUTATIONS if not names or each.name in names):
            sys.stdout.write(f"{mutation.name}: caught by {mutation.test}\n")
    except MutationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
