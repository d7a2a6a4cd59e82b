"""Policy rules, as far as they can be told from one resource: conditions, parameters, the effect.

Language: https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-policy-rule. A rule that uses
more than this is refused when it is written, so that none is silently without effect.
"""

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from arm_emulator.errors import ArmError, Json, bad_request

OPERATORS = (
    "equals", "notEquals", "like", "notLike", "in", "notIn", "contains", "notContains", "containsKey", "notContainsKey",
    "exists", "greater", "greaterOrEquals", "less", "lessOrEquals",
)  # fmt: skip
EFFECTS = (
    "deny", "audit", "disabled", "append", "modify", "auditIfNotExists", "deployIfNotExists", "denyAction", "manual",
    "addToNetworkGroup", "mutate",
)  # fmt: skip
_SPELT = {name.lower(): name for name in OPERATORS}
_CALL = re.compile(r"\s*([A-Za-z]\w*)\s*\(")
_LITERAL = re.compile(r"\s*'((?:[^']|'')*)'")
_MEMBER = re.compile(r"\s*\.(\w+)")
_TAG = re.compile(r"tags(?:\.(?P<plain>.+)|\[\s*'?(?P<quoted>.+?)'?\s*\])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Case:
    """What a rule is asked about: the resource as it would be, the values of parameters, the resource group's body."""

    resource: Json
    parameters: Mapping[str, Any]
    group: Json


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One condition and how it came out, as error answers show it."""

    expression: str
    value: Any
    target: Any
    operator: str
    result: bool
    kind: str

    def body(self) -> Json:
        """As Azure writes it."""
        shown = {"result": str(self.result), "expressionKind": self.kind, "expression": self.expression}
        path = {"path": self.expression.rpartition("/")[2]} if self.kind == "Field" else {}
        operator = self.operator[0].upper() + self.operator[1:]
        return {**shown, **path, "expressionValue": self.value, "targetValue": self.target, "operator": operator}


def check(rule: object, parameters: object) -> None:
    """Raises InvalidPolicyRule for a rule that is none, or that the emulator cannot evaluate."""
    if not isinstance(rule, dict) or not isinstance(rule.get("if"), dict) or not isinstance(rule.get("then"), dict):
        raise _invalid("a rule is an object with 'if' and 'then'")
    if not isinstance(parameters, dict) or not all(isinstance(one, dict) for one in parameters.values()):
        raise _invalid("parameters are objects")
    effect = rule["then"].get("effect")
    if not isinstance(effect, str):
        raise _invalid("'then' has no effect")
    if not effect.startswith("[") and effect.lower() not in {one.lower() for one in EFFECTS}:
        raise _invalid(f"the effect '{effect}' is unknown")
    values = {name: one.get("defaultValue", "") for name, one in parameters.items()}
    case = Case({"type": "", "properties": {}}, values, {})
    resolved(effect, case)
    for condition in _conditions(rule["if"]):
        resolved(condition.get("field", condition.get("value")), case)
        resolved(condition[_operator(condition)[0]], case)


def readable(rule: object, parameters: object) -> bool:
    """Whether `check` has nothing to say: rules of estate files are kept whatever they use."""
    try:
        check(rule, parameters)
    except ArmError:
        return False
    return True


def effect(rule: Json, case: Case) -> str:
    """The effect in lower case, its parameter filled in."""
    return str(resolved(rule["then"]["effect"], case)).lower()


def holds(condition: Json, case: Case, seen: list[Evaluated]) -> bool:
    """Whether a rule's `if` is true of a resource; what was looked at is added to `seen`."""
    if "allOf" in condition:
        results = [holds(one, case, seen) for one in condition["allOf"]]
        return all(results)
    if "anyOf" in condition:
        results = [holds(one, case, seen) for one in condition["anyOf"]]
        return any(results)
    if "not" in condition:
        return not holds(condition["not"], case, seen)
    member, operator = _operator(condition)
    wanted = resolved(condition[member], case)
    if "value" in condition:
        value = resolved(condition["value"], case)
        result = _compared(value, operator, wanted)
        seen.append(Evaluated(str(condition["value"]), value, wanted, operator, result, "Value"))
        return result
    field = str(resolved(condition["field"], case))
    values = _field(case.resource, field)
    result = all(_compared(value, operator, wanted) for value in values)
    shown = values if "[*]" in field else values[0]
    seen.append(Evaluated(field, shown, wanted, operator, result, "Field"))
    return result


def resolved(value: Any, case: Case) -> Any:
    """A value with its template expression evaluated. Raises InvalidPolicyRule for functions that are not offered."""
    if isinstance(value, list):
        return [resolved(one, case) for one in value]
    if not isinstance(value, str) or not value.startswith("["):
        return value
    if value.startswith("[["):
        return value[1:]
    result, rest = _expression(value[1:].rstrip().removesuffix("]"), case)
    if rest.strip():
        raise _invalid(f"the expression '{value}' cannot be read")
    return result


def _conditions(condition: object) -> Iterator[Json]:
    """The conditions at the leaves of `if`."""
    if not isinstance(condition, dict):
        raise _invalid("a condition is an object")
    joined = next((name for name in ("allOf", "anyOf", "not") if name in condition), None)
    if joined is None:
        if not isinstance(condition.get("field", condition.get("value")), str) and "value" not in condition:
            raise _invalid("a condition has a 'field' or a 'value'; 'count' and 'source' are not offered")
        _operator(condition)
        yield condition
        return
    inner = condition[joined]
    if joined != "not" and (not isinstance(inner, list) or not inner):
        raise _invalid(f"'{joined}' is a list of conditions")
    for one in inner if isinstance(inner, list) else [inner]:
        yield from _conditions(one)


def _operator(condition: Json) -> tuple[str, str]:
    """The member that holds the comparison, and the operator as it is spelt."""
    for member in condition:
        if member.lower() in _SPELT:
            return member, _SPELT[member.lower()]
    raise _invalid(f"a condition has one of {', '.join(OPERATORS)}, not {', '.join(map(str, condition))}")


def _expression(text: str, case: Case) -> tuple[Any, str]:
    """The value of the expression that a text begins with, and the rest of the text."""
    literal = _LITERAL.match(text)
    if literal is not None:
        return literal[1].replace("''", "'"), text[literal.end() :]
    call = _CALL.match(text)
    if call is None:
        raise _invalid(f"the expression '{text}' cannot be read")
    arguments: list[Any] = []
    rest = text[call.end() :]
    while not rest.lstrip().startswith(")"):
        argument, rest = _expression(rest, case)
        arguments.append(argument)
        rest = rest.lstrip().removeprefix(",")
        if not rest:
            raise _invalid(f"the expression '{text}' is not closed")
    value = _called(call[1].lower(), arguments, case)
    rest = rest.lstrip()[1:]
    member = _MEMBER.match(rest)
    while member is not None:
        value = value.get(member[1]) if isinstance(value, dict) else None
        rest = rest[member.end() :]
        member = _MEMBER.match(rest)
    return value, rest


def _called(name: str, arguments: list[Any], case: Case) -> Any:
    if name == "parameters" and len(arguments) == 1:
        known = {key.lower(): value for key, value in case.parameters.items()}
        if str(arguments[0]).lower() not in known:
            raise _invalid(f"the parameter '{arguments[0]}' is not defined")
        return known[str(arguments[0]).lower()]
    if name == "concat":
        return "".join(str(one) for one in arguments)
    if name == "field" and len(arguments) == 1:
        return next(iter(_field(case.resource, str(arguments[0]))), None)
    if name == "resourcegroup" and not arguments:
        return case.group
    if name in ("tolower", "toupper") and len(arguments) == 1:
        return str(arguments[0]).lower() if name == "tolower" else str(arguments[0]).upper()
    raise _invalid(f"the function '{name}' is not offered")


def _field(resource: Json, field: str) -> list[Any]:
    """The values of a field or alias; one value unless it goes through lists with `[*]`. None is an absent value."""
    tag = _TAG.fullmatch(field)
    if tag is not None:
        wanted = (tag["plain"] or tag["quoted"]).lower()
        tags = resource.get("tags") or {}
        return [next((value for name, value in tags.items() if name.lower() == wanted), None)]
    kind = str(resource.get("type", ""))
    if not field.lower().startswith(f"{kind.lower()}/") or not kind:
        return [None] if "/" in field else _path(resource, field.split("."))
    path = field[len(kind) + 1 :].split(".")
    found = _path(resource.get("properties") or {}, path)
    return found if found != [None] else _path(resource, path)


def _path(value: Any, path: list[str]) -> list[Any]:
    """The values at a path; `properties` of list entries are looked into, as aliases leave them out."""
    for position, step in enumerate(path):
        name, each = step.removesuffix("[*]"), step.endswith("[*]")
        value = _member(value, name)
        if each:
            entries = value if isinstance(value, list) else []
            rest = path[position + 1 :]
            return [one for entry in entries for one in (_path(entry, rest) if rest else [entry])]
    return [value]


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        return None
    for holder in (value, value.get("properties")):
        if isinstance(holder, dict):
            for key, one in holder.items():
                if key.lower() == name.lower():
                    return one
    return None


def _compared(value: Any, operator: str, wanted: Any) -> bool:
    if operator == "exists":
        return (value is not None) == (str(wanted).lower() == "true")
    if operator.startswith("not"):
        positive = operator[3].lower() + operator[4:]
        return not _compared(value, positive, wanted)
    if operator in ("greater", "greaterOrEquals", "less", "lessOrEquals"):
        return _ordered(value, operator, wanted)
    if operator == "equals":
        return _same(value, wanted)
    if operator == "in":
        return isinstance(wanted, list) and any(_same(value, one) for one in wanted)
    if operator == "like":
        return value is not None and _like(str(value), str(wanted))
    if operator == "containsKey":
        return isinstance(value, dict) and any(_same(key, wanted) for key in value)
    if isinstance(value, list):
        return any(_same(one, wanted) for one in value)
    return value is not None and str(wanted).lower() in str(value).lower()


def _ordered(value: Any, operator: str, wanted: Any) -> bool:
    if type(value) is not type(wanted) or not isinstance(value, int | float | str):
        return False
    if operator.startswith("greater"):
        return bool(value > wanted or (operator == "greaterOrEquals" and value == wanted))
    return bool(value < wanted or (operator == "lessOrEquals" and value == wanted))


def _same(value: Any, wanted: Any) -> bool:
    """Texts are compared without case, and booleans with their texts."""
    if value is None:
        return False
    if isinstance(value, str | bool | int | float) and isinstance(wanted, str | bool | int | float):
        return str(value).lower() == str(wanted).lower()
    return bool(value == wanted)


def _like(value: str, wanted: str) -> bool:
    pattern = "*".join(re.sub(r"([\[?])", r"[\1]", part) for part in wanted.lower().split("*"))
    return fnmatch.fnmatchcase(value.lower(), pattern)


def _invalid(what: str) -> ArmError:
    return bad_request("InvalidPolicyRule", f"Failed to parse policy rule: {what}.")
