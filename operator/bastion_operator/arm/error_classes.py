"""The classes of Azure's errors, and for each what the operator does and what the user sees. Data; no decisions here.

No class is final: whatever failed is looked at again, the classes only say when, and who hears of it meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ErrorClass(StrEnum):
    """What kind of failure it is."""

    CONTENTION = "Contention"  # another operation is in the way
    THROTTLED = "Throttled"  # too many calls
    TRANSIENT = "Transient"  # Azure or the way to it is ill
    OTHER_ACT = "HealsByAnotherAct"  # the next plan mends it by a different change
    TOO_LARGE = "TooLarge"  # the answer does not fit
    REFUSED = "Refused"  # the request or the environment is wrong
    DELETE_ORDER = "OrderOfDeletion"  # something still uses it
    DENIED = "RightsOrPolicy"  # a right, a lock or a policy
    CREDENTIAL = "Credential"  # the identity is wrong, expired or revoked


@dataclass(frozen=True, slots=True)
class Handling:
    """What follows from an error.

    :ivar shortest: seconds of the clock until it is looked at again after the first failure; they double with each more
    :ivar longest: the most that they grow to. A Retry-After of Azure's goes before both
    :ivar told_after: seconds that it must last before a user hears of it; 0: at once
    :ivar blocking: only a person's act helps, so that the custom resource is Stalled; else the operator tries by itself
    :ivar reason: of the condition; empty: Azure's own code
    :ivar does: what the operator does, for the documentation
    """

    shortest: float
    longest: float
    told_after: float
    blocking: bool
    reason: str
    does: str


RETRYING = "Retrying"

HANDLING: Mapping[ErrorClass, Handling] = {
    ErrorClass.CONTENTION: Handling(
        2.0, 30.0, 300.0, False, RETRYING, "Reads the resource again and sends what is still wanted, with jitter."
    ),
    ErrorClass.THROTTLED: Handling(
        30.0,
        600.0,
        0.0,
        False,
        "Throttled",
        "Sends no call of that kind to that subscription before the time that Azure named; all other calls go on.",
    ),
    ErrorClass.TRANSIENT: Handling(
        5.0, 300.0, 0.0, False, RETRYING, "Tries again, later each time; what a lost answer has left is read first."
    ),
    ErrorClass.OTHER_ACT: Handling(
        2.0, 60.0, 60.0, False, RETRYING, "Reads again and plans anew: another change comes first, such as the parent."
    ),
    ErrorClass.TOO_LARGE: Handling(5.0, 300.0, 0.0, False, RETRYING, "Asks for half as many rows at once."),
    ErrorClass.REFUSED: Handling(
        300.0,
        1800.0,
        0.0,
        True,
        "",
        "Holds back this very change and tries it again slowly; a changed spec, or the annotation "
        "`azurebastion.dev/reconcile-requested-at`, is acted on at once. Everything else of the plan goes on.",
    ),
    ErrorClass.DELETE_ORDER: Handling(
        5.0, 300.0, 60.0, False, RETRYING, "Deletes what depends on it first, as far as it is the operator's own."
    ),
    ErrorClass.DENIED: Handling(
        120.0,
        900.0,
        0.0,
        True,
        "",
        "Holds back this very change, tries it again slowly, and at once when the spec changes or the annotation asks.",
    ),
    ErrorClass.CREDENTIAL: Handling(
        60.0,
        600.0,
        0.0,
        True,
        "CredentialUnavailable",
        "Asks Entra once for a new token and sends the request again; after that slowly. A changed Secret or "
        "AzureIdentity is in use within a minute.",
    ),
}

CLASS_OF_STATUS: Mapping[int, ErrorClass] = {
    401: ErrorClass.CREDENTIAL,
    403: ErrorClass.DENIED,
    404: ErrorClass.OTHER_ACT,
    408: ErrorClass.TRANSIENT,
    410: ErrorClass.OTHER_ACT,
    412: ErrorClass.CONTENTION,
    429: ErrorClass.THROTTLED,
    # Resource Manager sends nobody elsewhere: a proxy did, which may think better of it.
    **dict.fromkeys((301, 302, 303, 307, 308), ErrorClass.TRANSIENT),
}
"""The class of a code that is not in the table, by its HTTP status; from 500 on Transient, any other Refused."""
