"""Calls that Azure did not answer: no token was had, or no connection."""

from azure.core.exceptions import AzureError as SdkError
from azure.core.exceptions import ClientAuthenticationError

from bastion_operator.arm.errors import AzureError, CredentialHolder, known_error, token_error
from bastion_operator.proxies import ProxySettingError


def unanswered(error: SdkError | OSError, target: str, holder: CredentialHolder) -> AzureError:
    """The operator's error for one of the SDK's, or of the machine's.

    azure-identity reads a service account's token from its file, and tells nobody else's errors than its own.
    """
    if isinstance(error, ClientAuthenticationError):
        status = (error.response.status_code or 0) if error.response is not None else 0
        return token_error(str(error.message or ""), status=status, target=target, holder=holder)
    if isinstance(error, SdkError):
        why = (
            str(error.inner_exception) if isinstance(error.inner_exception, ProxySettingError) else type(error).__name__
        )
        return known_error("ConnectionFailed", f"Azure could not be reached ({why})", target=target)
    why = error.strerror or type(error).__name__
    return known_error(
        "CredentialUnavailable",
        f"{holder.identity} gets no token: {error.filename}: {why}",
        target=target,
        holder=holder,
    )
