"""What must hold before a pass may look at Azure: an identity that may be used, here and for these things."""

from collections.abc import Iterable

from bastion_operator.kube.cluster import namespace_labels
from bastion_operator.planning.conditions import Refusal
from bastion_operator.reconcile.access import refuse_namespace, refuse_subscriptions
from bastion_operator.reconcile.keys import Key
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.sessions import IdentityProblemError, Session


async def open_session(services: Services, key: Key, identity: str, ids: Iterable[str]) -> Session | Refusal:
    """The session of the identity, or why this resource may not have it. Not one Azure call is made.

    :raises KubeError: the API server does not answer
    """
    try:
        session = await services.sessions.session(identity)
    except IdentityProblemError as error:
        return Refusal(error.reason, error.message)
    allowed = session.allowed_namespaces
    needs_labels = allowed is not None and allowed.selector is not None
    labels = await namespace_labels(services.kube, key.namespace) if needs_labels else {}
    refusal = refuse_namespace(identity, allowed, key.namespace, labels)
    return refusal or refuse_subscriptions(identity, session.subscriptions, ids) or session
