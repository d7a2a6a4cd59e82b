"""The base of every model here: JSON names as Kubernetes has them, frozen, and CEL rules declared beside the fields."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    ValidationError,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

VALIDATIONS = "x-kubernetes-validations"

# Generations count from 1 and are int64; the API server compares bounds as floating-point numbers, exact to here.
MAX_GENERATION = 2**53 - 1

# Initialisms keep one case in Kubernetes' JSON names, as its API conventions ask; a leading word is all lower case.
_INITIALISMS = {"id": "ID", "ids": "IDs", "ip": "IP", "ips": "IPs", "dns": "DNS", "uid": "UID"}


def json_name(name: str) -> str:
    """The JSON name of a Python field: ``virtual_network_id`` is ``virtualNetworkID``, ``public_ip`` is ``publicIP``."""
    first, *rest = name.split("_")
    return first + "".join(_INITIALISMS.get(word, word.capitalize()) for word in rest)


@dataclass(frozen=True, slots=True)
class Rule:
    """A CEL rule that the API server evaluates on an object; ``self`` is the model that it is declared on.

    ``field`` is the JSON path, from that model, of the field to which the message is attached (``.sku``).
    A rule that names ``oldSelf`` is evaluated on updates only.

    :ivar holds: the same of the model, in Python, for who has no API server to ask; None where nobody asks (api/server_rules.py)
    """

    expression: str
    message: str
    field: str | None = None
    holds: Callable[[Any], bool] | None = None

    def schema(self) -> dict[str, str]:
        """The rule as an entry of ``x-kubernetes-validations``."""
        entry = {"rule": self.expression, "message": self.message}
        return entry if self.field is None else {**entry, "fieldPath": self.field}


class Model(BaseModel):
    """A frozen part of a custom resource. Unknown fields are ignored: a newer version may have written them."""

    model_config = ConfigDict(
        alias_generator=json_name,
        extra="ignore",
        frozen=True,
        serialize_by_alias=True,
        validate_by_alias=True,
        validate_by_name=True,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        rendered = handler(schema)
        if cls.rules:
            # handler() answers a reference; the rules belong to what it points at.
            handler.resolve_ref_schema(rendered)[VALIDATIONS] = [rule.schema() for rule in cls.rules]
        return rendered

    def to_json(self) -> dict[str, Any]:
        """The JSON object as the API server has it: its names, and nothing for fields that are not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def replace(self, **changes: object) -> Self:
        """A copy in which the named fields (by their Python names) have new values, validated like any others."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self).model_validate({**fields, **changes})


class JudgedText(ABC):
    """A constraint on a string as an annotation: the API server (CEL) and pydantic judge it alike."""

    __slots__ = ()

    @abstractmethod
    def rule(self) -> Rule:
        """The CEL rule on the string."""

    @abstractmethod
    def check(self, value: str) -> str:
        """The string.

        :raises PydanticCustomError: with the rule's message, if it does not hold
        """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        rendered = handler(schema)
        rendered.setdefault(VALIDATIONS, []).append(self.rule().schema())
        return rendered


@dataclass(frozen=True, slots=True)
class Matches(JudgedText):
    """A string must match a regular expression as a whole; checked by the API server (CEL) and by pydantic alike.

    CEL in place of the schema's own ``pattern``, because only a rule can say in words what to write instead.
    The expression must mean the same to RE2 and to Python: explicit classes, no look-around.
    """

    regex: str
    message: str

    def rule(self) -> Rule:
        """The CEL rule on the string."""
        quoted = self.regex.replace("\\", "\\\\").replace("'", "\\'")
        return Rule(f"self.matches('^(?:{quoted})$')", self.message)

    def check(self, value: str) -> str:
        """A whole match, or the message."""
        if re.fullmatch(self.regex, value) is None:
            raise PydanticCustomError("does_not_match", "{message}", {"message": self.message})
        return value


@dataclass(frozen=True, slots=True)
class Extra:
    """Schema keywords that Kubernetes adds to JSON Schema, or CEL rules, on the field that this annotates."""

    keywords: tuple[tuple[str, Any], ...] = ()
    rules: tuple[Rule, ...] = ()

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        rendered = handler(schema)
        rendered.update(self.keywords)
        if self.rules:
            rendered.setdefault(VALIDATIONS, []).extend(rule.schema() for rule in self.rules)
        return rendered


ATOMIC = Extra((("x-kubernetes-list-type", "atomic"),))
SET = Extra((("x-kubernetes-list-type", "set"),))


def list_map(*keys: str) -> Extra:
    """A list whose items are told apart by these fields, so that several appliers may own one item each."""
    return Extra((("x-kubernetes-list-type", "map"), ("x-kubernetes-list-map-keys", list(keys))))


def _utc_seconds(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _shortened(limit: int) -> BeforeValidator:
    """Cut what is too long: a status that the API server refuses for one long message would tell nothing at all."""

    def cut(value: object) -> object:
        return value[: limit - 1] + "…" if isinstance(value, str) and len(value) > limit else value

    return BeforeValidator(cut)


Timestamp = Annotated[datetime, PlainSerializer(_utc_seconds, return_type=str, when_used="json")]
"""A time in UTC, written to the second as Kubernetes' own times are."""

ConditionMessage = Annotated[str, _shortened(4096), Field(max_length=4096)]
RowMessage = Annotated[str, _shortened(1024), Field(max_length=1024)]
ShortMessage = Annotated[str, _shortened(512), Field(max_length=512)]
AnnotationValue = Annotated[str, _shortened(256), Field(max_length=256)]
Word = Annotated[str, _shortened(64), Field(max_length=64)]
"""A word of Azure's, such as a provisioning state: shown, never acted on."""
Code = Annotated[str, _shortened(128), Field(max_length=128)]


def first_error(error: ValidationError) -> str:
    """The first thing that a model refuses, with its field; never the value."""
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    return f"field {'.'.join(map(str, first['loc']))}: {first['msg']}"
