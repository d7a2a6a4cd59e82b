"""What a write and the end of an operation do to the resource, its family, and those that refer to it."""

from http import HTTPStatus

from arm_emulator.cloud import Cloud
from arm_emulator.errors import ArmError, Json
from arm_emulator.operations import CANCELED, Operation
from arm_emulator.resource_types import type_of
from arm_emulator.resource_types.base import fresh_etag
from arm_emulator.store import Resource

MOVING = ("Updating", "Creating", "Deleting")
KINDS_THAT_DELETE = ("delete", "group-delete")
ONE_SIDED = ("remoteVirtualNetwork", "linkedVirtualNetwork")


class Effects:
    """Changes one cloud; nothing here can be refused."""

    def __init__(self, cloud: Cloud) -> None:
        """The cloud whose resources change."""
        self._cloud = cloud

    def touch(self, item: Resource) -> None:
        """Stores a resource that was changed, with a new etag for it and its family."""
        item.etag = fresh_etag(type_of(item.id.type), item)
        self._cloud.store.put(item)
        if not item.etag:
            self._cloud.touch(item.root_key)

    def targets(self, item: Resource) -> set[str]:
        """What a body refers to, where a back reference shows: peerings and DNS links show on their own side only."""
        references = type_of(item.id.type).references(item)
        return {found.target.lower() for found in references if found.relation not in ONE_SIDED}

    def touch_roots(self, keys: set[str], source: Resource) -> None:
        """Back references appear in, or go from, the resources with these keys: they have changed too."""
        found = [self._cloud.store.get(key) for key in keys]
        for root in {one.root_key for one in found if one is not None and one.root_key != source.root_key}:
            self._cloud.touch(root)

    def finish(self, operation: Operation) -> None:
        """Does what an operation that has just ended comes to."""
        if operation.kind == "result":
            self._answer(operation)
            return
        for key in dict.fromkeys(operation.detail.get("superseded", ())):
            written = self._cloud.store.get(key)
            if written is not None and key != operation.target:
                self._come_to_rest(written, operation)
        item = self._cloud.store.get(operation.target)
        if item is None:
            return
        if operation.kind == "group-delete" and operation.error is None:
            operation.error = self.delete_group(item)
            operation.status = "Succeeded" if operation.error is None else "Failed"
        elif operation.kind == "delete" and operation.error is None:
            self.remove(item)
            self._cloud.touch(item.root_key)
            return
        if operation.kind in KINDS_THAT_DELETE and operation.error is None:
            return
        self._come_to_rest(item, operation)

    def _answer(self, operation: Operation) -> None:
        item = self._cloud.store.get(operation.target)
        if item is not None and operation.error is None:
            type_of(item.id.type).answered(self._cloud, item, operation)

    def _come_to_rest(self, item: Resource, operation: Operation) -> None:
        state = operation.status
        declared = type_of(item.id.type)
        for one in (item, *declared.family(self._cloud, item)):
            if one.state not in MOVING or self._cloud.store.get(one.key) is not one:
                continue
            one.properties["provisioningState"] = state
            if operation.error is None:
                type_of(one.id.type).succeeded(self._cloud, one, operation)
            self._cloud.store.put(one)
        self.touch(item)

    def delete_group(self, group: Resource) -> Json | None:
        """Removes what is in the group; an error where something outside still needs it."""
        prefix = group.key + "/"
        inside = [item for item in self._cloud.store if item.key.startswith(prefix)]
        for item in inside:
            for reference in self._cloud.store.referrers(item.key):
                if reference.relation not in ONE_SIDED and not reference.source.startswith(prefix):
                    return ArmError(
                        HTTPStatus.CONFLICT,
                        "ResourceGroupDeletionBlocked",
                        f"Deletion of resource group '{group.name}' failed as resources with identifiers '{item.id}' could "
                        f"not be deleted: {item.id} is in use by {reference.element}.",
                    ).error()
        for item in inside:
            if self._cloud.store.get(item.key) is not None and item.parent_key is None:
                self.remove(item)
                self._cancel_running(item)
        self._cloud.store.remove(group.key)
        return None

    def _cancel_running(self, gone: Resource) -> None:
        """What still ran on a resource that is gone must not meet a later one of the same name."""
        for operation in self._cloud.operations.running_on(gone.key):
            message = f"The operation was canceled because resource {gone.id} was deleted with its resource group."
            self._cloud.operations.end(operation, {"code": CANCELED, "message": message, "details": []})

    def remove(self, item: Resource) -> None:
        """Removes a resource with its children, and tells those that knew of it."""
        family = [item, *self._cloud.store.descendants(item.key)]
        referred = {key for one in family for key in self.targets(one)}
        for one in family:
            type_of(one.id.type).deleted(self._cloud, one)
        self._cloud.store.remove(item.key)
        self.touch_roots(referred, item)
