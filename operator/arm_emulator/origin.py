"""Headers that tell who answered: a provider with an id of its own, or Resource Manager's gateway in its place.

Recorded: answers of Microsoft.Network carry `x-ms-arm-service-request-id`, but for the empty list of a whole subscription,
which the gateway gives, and for DNS, which is a provider of its own behind the same name; refusals of the gateway
carry `x-ms-failure-cause: gateway` and no `details`.
"""

from arm_emulator.errors import GATEWAY_CODES, ArmError
from arm_emulator.guids import new_guid
from arm_emulator.messages import Answer

SERVICE_REQUEST_ID = "x-ms-arm-service-request-id"
FAILURE_CAUSE = "x-ms-failure-cause"
_NETWORK, _DNS = "microsoft.network/", "microsoft.network/privatedns"


def sign(answer: Answer, path: str) -> None:
    """Adds the provider's header to an answer of Microsoft.Network."""
    if _is_networks(path) and not (answer.body == {"value": []} and "/resourcegroups/" not in path.lower()):
        answer.headers[SERVICE_REQUEST_ID] = new_guid()


def sign_refusal(error: ArmError, path: str) -> None:
    """Adds the header of whoever refused, and the empty `details` that Microsoft.Network writes."""
    if error.code in GATEWAY_CODES:
        error.headers[FAILURE_CAUSE] = "gateway"
    elif _is_networks(path):
        error.headers[SERVICE_REQUEST_ID] = new_guid()
        error.lists_details = True


def _is_networks(path: str) -> bool:
    """Whether the last provider of a path, which is the one that answers, is Microsoft.Network (but for DNS)."""
    _, found, rest = path.lower().rpartition("/providers/")
    return bool(found) and rest.startswith(_NETWORK) and not rest.startswith(_DNS)
