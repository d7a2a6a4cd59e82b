"""What a query can be refused for."""


class QueryError(Exception):
    """A query that is refused: `code` is the detail that says why."""

    def __init__(self, code: str, message: str) -> None:
        """Becomes an entry of the answer's details, after InvalidQuery."""
        super().__init__(message)
        self.code = code
        self.message = message


class QuerySyntaxError(QueryError):
    """Text that is no query: where the parser stopped, and at what."""

    def __init__(self, line: int, position: int, token: str) -> None:
        """`line` counts from 1, `position` in it from 0; `token` is `<EOF>` at the end."""
        super().__init__("ParserFailure", "ParserFailure")
        self.line = line
        self.position = position
        self.token = token
