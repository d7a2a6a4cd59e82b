"""Why something cannot be named by a custom resource, as one clause."""

from pydantic import ValidationError


def first_error(error: ValidationError) -> str:
    """The first thing that the model refuses, with its field."""
    first = error.errors()[0]
    return f"no custom resource can name it, field {'.'.join(map(str, first['loc']))}: {first['msg']}"
