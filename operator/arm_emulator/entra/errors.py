"""OAuth 2.0 error answers of the token endpoint, with Entra's numbers.

Numbers and wordings: https://learn.microsoft.com/entra/identity-platform/reference-error-codes, and what users published.
"""

from http import HTTPStatus

from arm_emulator.errors import Json
from arm_emulator.guids import new_guid


class TokenError(Exception):
    """An OAuth 2.0 error answer of the token endpoint."""

    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        """`number` is the AADSTS code."""
        super().__init__(text)
        self.status = status
        self.error = error
        self.number = number
        self.text = text

    def body(self, timestamp: str) -> Json:
        """As Entra writes it."""
        trace, correlation = new_guid(), new_guid()
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.text} Trace ID: {trace} Correlation ID: {correlation} "
            f"Timestamp: {timestamp[:10]} {timestamp[11:19]}Z",
            "error_codes": [self.number],
            "timestamp": f"{timestamp[:10]} {timestamp[11:19]}Z",
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }


def invalid_client(number: int, text: str) -> TokenError:
    """401: the credential that was shown is not good."""
    return TokenError(HTTPStatus.UNAUTHORIZED, "invalid_client", number, text)


def invalid_request(number: int, text: str) -> TokenError:
    """400: the request itself is not good."""
    return TokenError(HTTPStatus.BAD_REQUEST, "invalid_request", number, text)


def missing_parameter(name: str) -> TokenError:
    """400 for a form that lacks a field."""
    return invalid_request(900144, f"The request body must contain the following parameter: '{name}'.")


def outside_of_its_time(now: str, start: str, end: str) -> TokenError:
    """401 for an assertion that is expired, or not valid yet; the three are timestamps."""
    return invalid_client(
        700024,
        f"Client assertion is not within its valid time range. Current time: {now}, assertion valid from {start}, "
        f"expiry time of assertion {end}. Review the documentation at "
        "https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
    )
