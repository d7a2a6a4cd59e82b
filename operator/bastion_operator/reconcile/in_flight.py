"""Operations that this process has started and that go on in Azure, by the resource that they keep busy.

Azure works on one change of a virtual network at a time, its subnets and peerings included, and answers
AnotherOperationInProgress to the next. So one is sent, and the others wait here instead of there. While a subnet of a
network is written nothing may refer to that network either (ReferencedResourceNotProvisioned), though it reads Succeeded.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from bastion_operator.arm.answers import Operation
from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.errors import AzureError
from bastion_operator.arm.operations import Ended, OperationFollower
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.reconcile.keys import Key


@dataclass(slots=True)
class InFlight:
    """The followed operations and the requests that are being answered, counted by root resource."""

    follower: OperationFollower
    wake: Callable[[Key], None]
    _waiting: dict[str, set[Key]] = field(default_factory=dict)
    _busy: Counter[str] = field(default_factory=Counter)
    _unreferable: Counter[str] = field(default_factory=Counter)

    def busy(self, root_id: str) -> bool:
        """Whether something of this process goes on in this resource or in a part of it."""
        return self._busy[normalise_id(root_id)] > 0

    def unreferable(self, network_id: str) -> bool:
        """Whether something of this process goes on that keeps Azure from taking a reference to this network."""
        return self._unreferable[normalise_id(network_id)] > 0

    def running(self, resource_id: str) -> bool:
        """Whether an operation on just this resource is followed: its end will wake whoever waits for it."""
        return self.follower.running(resource_id)

    def await_end(self, resource_id: str, key: Key) -> None:
        """Wake this key when the resource is free again. What goes on there may be another key's work."""
        self._waiting.setdefault(normalise_id(resource_id), set()).add(key)

    def begin(self, root_id: str, resource_id: str) -> None:
        """A request for this resource, which is the root or a part of it, is about to be sent."""
        self._busy[normalise_id(root_id)] += 1
        if _is_subnet(resource_id):
            self._unreferable[normalise_id(root_id)] += 1

    def end(self, root_id: str, resource_id: str) -> None:
        """The request was refused, or its work is done."""
        root = normalise_id(root_id)
        self._busy[root] -= 1
        if _is_subnet(resource_id):
            self._unreferable[root] -= 1
            if self._unreferable[root] <= 0:
                del self._unreferable[root]
        if self._busy[root] <= 0:
            del self._busy[root]
            self._wake(root)

    def _wake(self, resource: str) -> None:
        for key in sorted(self._waiting.pop(resource, ())):
            self.wake(key)

    def follow(self, client: ArmClient, root_id: str, resource_id: str, operation: Operation, ended: Ended) -> None:
        """Follow the operation that the request started; the resource is busy until it ends."""

        def done(operation: Operation, error: AzureError | None) -> None:
            self.end(root_id, resource_id)
            self._wake(normalise_id(operation.resource_id))
            ended(operation, error)

        self.follower.follow(client, operation, done)


def _is_subnet(resource_id: str) -> bool:
    return "/subnets/" in resource_id.lower()
