"""Every ARM id in a spec, wherever it stands: what the identity's allowed subscriptions are held against.

The walk is over values and not over a list of fields, so that a field that comes later cannot be forgotten.
"""

from collections.abc import Iterator, Sequence

from pydantic import BaseModel

_START = "/subscriptions/"


def named_ids(spec: BaseModel) -> Iterator[str]:
    """The ids that a spec names, as they are written, in the order of its fields.

    What people write at will, the values of maps such as tags, is no id.
    """
    for name in type(spec).model_fields:
        yield from _ids_in(getattr(spec, name))


def _ids_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if value.lower().startswith(_START):
            yield value
    elif isinstance(value, BaseModel):
        yield from named_ids(value)
    elif isinstance(value, Sequence):
        for each in value:
            yield from _ids_in(each)
