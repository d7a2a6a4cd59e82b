"""Microsoft's first cure for a resource that Azure has given up: the same PUT once more."""

from bastion_operator.planning.body import etag, provisioning_state
from bastion_operator.planning.model import Body, Change, Verb
from bastion_operator.planning.wording import named


def identical_request(body: Body, resource_id: str, root_id: str) -> Change:
    """The request that leaves everything as it is, for a resource in state Failed or Canceled."""
    reason = f"{named(resource_id)} is in state {provisioning_state(body)}; an identical PUT lets Azure try again"
    return Change(Verb.UPDATE, resource_id, root_id, reason, dict(body), (), etag(body))
