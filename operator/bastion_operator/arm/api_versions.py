"""The api-version that each type is asked for with, and what has to be asked for beside it."""

from collections.abc import Mapping

from bastion_operator.network.resource_types import SCALE_SET_INTERFACES, SCALE_SET_MACHINES, VIRTUAL_MACHINES
from bastion_operator.network.rows_by_type import type_of

NETWORK_API_VERSION = "2026-03-01"
DIAGNOSTICS_API_VERSION = "2021-05-01-preview"
"""Azure Monitor has no stable version of diagnostic settings; this one is what its own SDKs and documentation use."""
COMPUTE_API_VERSION = "2024-11-01"
GRAPH_API_VERSION = "2024-04-01"

_API_VERSIONS: Mapping[str, str] = {
    # Microsoft.Network answers for these below Microsoft.Compute's path; its specification of them ends with this version.
    SCALE_SET_INTERFACES: "2018-10-01",
    "microsoft.insights/": DIAGNOSTICS_API_VERSION,
    "microsoft.compute/": COMPUTE_API_VERSION,
}
"""By the beginning of a type; of all others it is that of Microsoft.Network. The first that fits counts."""
_MACHINES = frozenset({VIRTUAL_MACHINES, SCALE_SET_MACHINES})


def api_version_of(resource_id: str) -> str:
    """The api-version of a resource's type."""
    kind = type_of({}, resource_id)
    found = (version for start, version in _API_VERSIONS.items() if kind.startswith(start))
    return next(found, NETWORK_API_VERSION)


def shown_on_request(resource_id: str) -> Mapping[str, str]:
    """What Azure leaves out of a body unless it is asked for: whether a VM runs."""
    return {"$expand": "instanceView"} if type_of({}, resource_id) in _MACHINES else {}
