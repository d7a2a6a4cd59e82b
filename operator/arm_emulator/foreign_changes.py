"""Changes that somebody else made: rows put and resources taken away without a client, whatever would refuse a client."""

from http import HTTPStatus

from arm_emulator import estate
from arm_emulator.audit import correlation
from arm_emulator.cloud import Cloud
from arm_emulator.effects import Effects
from arm_emulator.errors import ArmError, Json, bad_request, not_found
from arm_emulator.ids import GROUP_TYPE, SUBSCRIPTION_TYPE, parse
from arm_emulator.operations import Operations
from arm_emulator.principals import Principal, stable_guid
from arm_emulator.resource_types import type_of
from arm_emulator.resource_types.base import Put
from arm_emulator.store import Resource, Store

SOMEBODY_ELSE = "somebody else"


class ForeignChanges:
    """Changes one cloud, and names who is said to have done so in its audit."""

    def __init__(self, cloud: Cloud) -> None:
        """The cloud that changes."""
        self._cloud = cloud
        self._effects = Effects(cloud)

    def put(self, row: object, principal: str) -> Json:
        """Makes or replaces a resource by a row as estate files have them, children included. Raises InvalidResource."""
        if not isinstance(row, dict) or not isinstance(row.get("id"), str) or parse(row["id"]) is None:
            raise bad_request("InvalidResource", "A resource is put as {'resource': row}, the row with an ARM id.")
        found = parse(row["id"])
        assert found is not None
        self._try_out(row)
        family = self._family(found.key)
        estate.load_rows(self._cloud, [row])
        item = self._cloud.find(row["id"])
        if item is None:
            # What is tenant-wide is kept at the tenant, whatever scope its row has.
            item = self._cloud.find(row["id"][row["id"].lower().rfind("/providers/") :])
        assert item is not None
        self._drop_absent(item, row, family)
        self._tell(item, principal)
        self._record("PUT", str(item.id), principal)
        return {"id": str(item.id)}

    def delete(self, resource_id: str, principal: str) -> Json:
        """Takes a resource away with all that is in it and on it. Raises ResourceNotFound."""
        item = self._cloud.find(resource_id)
        if item is None or item.id.type == SUBSCRIPTION_TYPE:
            raise not_found("ResourceNotFound", f"There is no resource '{resource_id}' to take away.")
        if item.id.type == GROUP_TYPE:
            error = self._effects.delete_group(item)
            if error is not None:
                raise ArmError(HTTPStatus.CONFLICT, error["code"], error["message"])
        else:
            self._effects.remove(item)
            self._cloud.touch(item.root_key)
        self._record("DELETE", str(item.id), principal)
        return {"id": str(item.id)}

    def _try_out(self, row: Json) -> None:
        """Loads the row into a cloud of its own first: one that cannot be loaded leaves nothing half done."""
        clock = self._cloud.clock
        store = Store(lambda item: type_of(item.id.type).references(item))
        trial = Cloud(clock, store, Operations(clock, b""), self._cloud.settings)
        try:
            estate.load_rows(trial, [row])
            unnamed = next((item for item in store if "" in item.id.names), None)
        except (TypeError, AttributeError, KeyError, ValueError) as error:
            raise bad_request(
                "InvalidResource", f"The row of {row['id']} is not as Azure writes it: {error}"
            ) from error
        if unnamed is not None:
            raise bad_request("InvalidResource", f"The row of {row['id']} has an entry without a name: {unnamed.id}.")

    def _family(self, key: str) -> list[Resource]:
        item = self._cloud.store.get(key)
        if item is None:
            return []
        names = type_of(item.id.type).nested.values()
        return [child for name in names for child in self._cloud.store.children(key, name)]

    def _drop_absent(self, item: Resource, row: Json, before: list[Resource]) -> None:
        """Children go that a list in the row leaves out; without the list they stay."""
        properties = row.get("properties") or {}
        for name, child_type in type_of(item.id.type).nested.items():
            listed = properties.get(name)
            if isinstance(listed, list):
                kept = {str(one.get("name", "")).lower() for one in listed if isinstance(one, dict)}
                for child in before:
                    if child.id.type == child_type and child.name.lower() not in kept:
                        self._effects.remove(child)

    def _tell(self, item: Resource, principal: str) -> None:
        """What a client's write would have told others of."""
        who = Principal(principal, stable_guid(f"client/{principal}"), "", stable_guid(f"object/{principal}"))
        for one in (item, *self._family(item.key)):
            put = Put(self._cloud, one.id, one.body, one, None, "", who)
            type_of(one.id.type).committed(self._cloud, one, put)
            self._effects.touch_roots(self._effects.targets(one), one)
        self._effects.touch(item)

    def _record(self, method: str, resource_id: str, principal: str) -> None:
        found = parse(resource_id)
        assert found is not None
        self._cloud.audit.record(
            {
                "time": self._cloud.clock.timestamp(),
                "principal": principal,
                "client": stable_guid(f"client/{principal}"),
                "object": stable_guid(f"object/{principal}"),
                "method": method,
                "id": resource_id,
                "action": f"{found.type}/{'write' if method == 'PUT' else 'delete'}",
                "correlation": correlation(None),
                "status": int(HTTPStatus.OK),
                "operation": None,
            }
        )
