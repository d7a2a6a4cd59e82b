"""As much of Microsoft Graph as az needs to know principals by their names."""

import pytest

from tests.support.azure import Wire


@pytest.mark.parametrize(
    "condition",
    ["servicePrincipalNames/any(c:c%20eq%20'{0}')", "appId%20eq%20'{0}'", "displayName%20eq%20'reader'"],
)
async def test_a_service_principal_is_found_by_its_names(wire: Wire, condition: str) -> None:
    client_id = wire.azure.clients["reader"].client_id
    status, answer, _ = await wire.call("GET", f"/v1.0/servicePrincipals?$filter={condition.format(client_id)}")
    assert status == 200
    assert [(one["appId"], one["displayName"]) for one in answer["value"]] == [(client_id, "reader")]


async def test_objects_are_found_by_their_ids(wire: Wire) -> None:
    _, everybody, _ = await wire.call("GET", "/v1.0/servicePrincipals")
    ids = [one["id"] for one in everybody["value"]]
    assert len(ids) == len(wire.azure.clients)
    _, found, _ = await wire.call("POST", "/v1.0/directoryObjects/getByIds", {"ids": ids[:1], "types": []})
    assert [one["id"] for one in found["value"]] == ids[:1]
    assert (await wire.call("GET", f"/v1.0/servicePrincipals/{ids[0]}"))[1]["id"] == ids[0]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1.0/servicePrincipals/nobody", 404, "Request_ResourceNotFound"),
        ("GET", "/v1.0/servicePrincipals?$filter=startswith(displayName,'a')", 400, "Request_UnsupportedQuery"),
        ("GET", "/v1.0/users", 400, "BadRequest"),
    ],
)
async def test_what_is_not_there_gets_graphs_own_error(
    wire: Wire, method: str, path: str, status: int, code: str
) -> None:
    found, answer, _ = await wire.call(method, path)
    assert (found, answer["error"]["code"]) == (status, code)


async def test_it_wants_a_token(wire: Wire) -> None:
    assert (await wire.call("GET", "/v1.0/servicePrincipals", headers={}))[0] == 401
