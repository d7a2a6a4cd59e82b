"""Errors of the API server in one line each, with what to do where there is something to do."""

import pytest

from bastion_operator.kube.errors import (
    ForbiddenError,
    InvalidError,
    KubeError,
    NotFoundError,
    UnavailableError,
    error_of,
)

PATH = "/apis/azurebastion.dev/v1beta1/bastionhosts"


@pytest.mark.parametrize(
    ("status", "message", "kind", "says"),
    [
        (404, "404 page not found\n", NotFoundError, "404 page not found"),
        (403, 'cannot list resource "bastionhosts"\n', ForbiddenError, "Grant it in the operator's ClusterRole"),
        (401, "Unauthorized", ForbiddenError, "check the service account's token"),
        (
            500,
            "failed to create typed patch object: no\n",
            InvalidError,
            "Install the CRDs that belong to this version",
        ),
        (503, "", UnavailableError, "HTTP 503"),
    ],
)
def test_each_error_is_one_line(status: int, message: str, kind: type[KubeError], says: str) -> None:
    error = error_of("GET", PATH, status, {"message": message}, None)
    assert type(error) is kind
    assert says in str(error)
    assert "\n" not in str(error)
