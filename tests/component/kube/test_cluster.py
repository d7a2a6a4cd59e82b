"""Secrets of the operator's namespace, the cluster's identity and namespaces' labels."""

import pytest

from bastion_operator.kube.cluster import cluster_uid, namespace_labels
from bastion_operator.kube.errors import InvalidError, NotFoundError
from bastion_operator.kube.secrets import decode_secret, read_secret
from dev.control_plane import ControlPlane
from tests.support.kube import RecordingClient


async def test_a_secret_is_decoded_and_never_shown(
    kube: RecordingClient, control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.kubectl(
        "create", "secret", "generic", "azure", "--namespace", namespace, "--from-literal=clientSecret=s3cret~é"
    )
    secret = await read_secret(kube, namespace, "azure")
    assert secret.data == {"clientSecret": "s3cret~é".encode()}
    assert secret.resource_version.isdecimal()
    assert "s3cret" not in f"{secret!r} {secret}"


async def test_a_secret_that_is_not_there(kube: RecordingClient, namespace: str) -> None:
    with pytest.raises(NotFoundError, match='secrets "azure" not found'):
        await read_secret(kube, namespace, "azure")


def test_a_secret_without_data_and_one_that_is_not_base64() -> None:
    metadata = {"namespace": "n", "name": "azure"}
    assert decode_secret({"metadata": metadata}).data == {}
    with pytest.raises(InvalidError) as refused:
        decode_secret({"metadata": metadata, "data": {"clientSecret": "hush!"}})
    assert str(refused.value) == "Secret n/azure: the value of clientSecret is not base64"


async def test_the_uid_of_the_cluster_is_that_of_kube_system(
    kube: RecordingClient, control_plane: ControlPlane
) -> None:
    uid = control_plane.kubectl("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}")
    assert await cluster_uid(kube) == uid


async def test_labels_of_a_namespace(kube: RecordingClient, control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("label", "namespace", namespace, "team=a")
    assert (await namespace_labels(kube, namespace))["team"] == "a"
    with pytest.raises(NotFoundError):
        await namespace_labels(kube, "none")
