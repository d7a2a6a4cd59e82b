"""Endpoints and certificates from the environment, and credentials that never show a secret."""

from pathlib import Path

import pytest

from bastion_operator.arm.cloud import PUBLIC_AUTHORITY, PUBLIC_RESOURCE_MANAGER, Cloud, CloudSettingsError
from bastion_operator.arm.credentials import CredentialSettingsError, ServicePrincipal, make_credential


def test_without_settings_it_is_public_azure() -> None:
    assert Cloud.from_environment({}) == Cloud(PUBLIC_AUTHORITY, PUBLIC_RESOURCE_MANAGER, None)
    assert Cloud().verify_authority


def test_a_bare_host_and_a_trailing_slash_are_taken() -> None:
    cloud = Cloud.from_environment(
        {"AZURE_AUTHORITY_HOST": "login.microsoftonline.us", "AZURE_RESOURCE_MANAGER_ENDPOINT": "https://127.0.0.1:1/"}
    )
    assert (cloud.authority, cloud.resource_manager) == ("https://login.microsoftonline.us", "https://127.0.0.1:1")
    assert cloud.scope == "https://127.0.0.1:1/.default"


@pytest.mark.parametrize(
    ("setting", "value", "instead"),
    [
        ("AZURE_AUTHORITY_HOST", "http://login.example", PUBLIC_AUTHORITY),
        ("AZURE_AUTHORITY_HOST", "https://[::1", PUBLIC_AUTHORITY),
        ("AZURE_RESOURCE_MANAGER_ENDPOINT", "https://", PUBLIC_RESOURCE_MANAGER),
        ("SSL_CERT_FILE", "/no/such/file.pem", "a file of PEM certificates"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_write_instead(setting: str, value: str, instead: str) -> None:
    with pytest.raises(CloudSettingsError, match=f"^{setting} is .*{instead}"):
        Cloud.from_environment({setting: value})


def test_all_that_is_wrong_is_named() -> None:
    wrong = {
        "AZURE_AUTHORITY_HOST": "ftp://login",
        "AZURE_RESOURCE_MANAGER_ENDPOINT": "https://",
        "SSL_CERT_FILE": "/no",
    }
    with pytest.raises(CloudSettingsError) as caught:
        Cloud.from_environment(wrong)
    assert [each.split()[0] for each in caught.value.problems] == [*wrong]


def test_a_file_of_certificates_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("")
    assert Cloud.from_environment({"SSL_CERT_FILE": str(file)}).ca_file == str(file)


@pytest.mark.parametrize(
    "identity",
    [ServicePrincipal("tenant", "client"), ServicePrincipal("tenant", "client", certificate=b"swordfish")],
)
def test_settings_that_cannot_be_used_are_told_without_what_is_in_them(identity: ServicePrincipal) -> None:
    with pytest.raises(CredentialSettingsError) as caught:
        make_credential(identity, Cloud())
    assert "swordfish" not in str(caught.value)
    assert "swordfish" not in repr(ServicePrincipal("tenant", "client", client_secret="swordfish"))
