"""What a query can be refused for."""

from collections.abc import Sequence
from http import HTTPStatus

from arm_emulator.errors import Json

INVALID = {
    "code": "InvalidQuery",
    "message": "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the "
    "error before retrying.",
}
END = "<EOF>"
_EXPECTED_AT_END = "\u01cf"
"""What recorded traffic has as the expected token where a query ends too early."""


class QueryError(Exception):
    """A query that is refused: `code` is the detail that says why."""

    status = HTTPStatus.BAD_REQUEST
    outer_code = "BadRequest"

    def __init__(self, code: str, message: str) -> None:
        """Becomes an entry of the answer's details, after InvalidQuery."""
        super().__init__(message)
        self.code = code
        self.message = message

    def details(self) -> list[Json]:
        """The entries of the answer's details."""
        return [INVALID, {"code": self.code, "message": self.message}]


class UnknownTableError(QueryError):
    """A table that there is not. Said without InvalidQuery (Azure/azqr #847)."""

    def __init__(self, table: str) -> None:
        """`table` in the spelling of the query."""
        super().__init__("DisallowedLogicalTableName", f"Table {table} is invalid, unsupported or disallowed.")

    def details(self) -> list[Json]:
        """One entry."""
        return [{"code": self.code, "message": self.message}]


class UnsupportedOperatorError(QueryError):
    """An operator of Kusto's that Resource Graph does not have (Azure/azure-powershell #13762)."""

    def __init__(self, operator: str) -> None:
        """`operator` as the query spells it."""
        super().__init__("InvalidQueryLanguage", "InvalidQueryLanguage")
        self.operator = operator

    def details(self) -> list[Json]:
        """The operator, and no place."""
        place = {"line": -1, "characterPositionInLine": -1, "token": self.operator}
        return [INVALID, {"code": self.code, "message": self.message, **place}]


class QuerySyntaxError(QueryError):
    """Text that is no query: where the parser stopped, and at what."""

    def __init__(self, failures: Sequence[Json]) -> None:
        """`failures` as `failure` and `unterminated` make them."""
        super().__init__("ParserFailure", "ParserFailure")
        self.failures = list(failures)

    def details(self) -> list[Json]:
        """An entry for each failure."""
        return [INVALID, *({"code": self.code, "message": self.message, **one} for one in self.failures)]


class TooMuchWorkError(QueryError):
    """A query that makes more rows on its way than can be held."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    outer_code = "InternalServerError"

    def __init__(self) -> None:
        """The words of Azure/azqr #712."""
        super().__init__("UnexpectedQueryExecutionError", "An unexpected query execution error occurred.")

    def details(self) -> list[Json]:
        """One entry."""
        return [{"code": self.code, "message": self.message}]


def failure(line: int, position: int, token: str) -> Json:
    """A place that the parser cannot get over. `line` counts from 1, `position` in it from 0 and is left out there."""
    place: Json = {"line": line}
    if position:
        place["characterPositionInLine"] = position
    place["token"] = token
    if token == END:
        place["expectedToken"] = _EXPECTED_AT_END
    return place


def unterminated(quote: str) -> Json:
    """A text that is not closed: said without its place (Azure/aztfexport #485)."""
    return {"expectedToken": quote}
