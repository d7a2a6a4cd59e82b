"""The options of `bastion-operator run` as settings: each is a flag and an environment variable, and is judged by itself."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
DNS_LABEL: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_WRONG: Final = "bastion_operator.wrong_settings"
# What Kubernetes tells a pod of a Service named bastion-operator-run, where nobody has turned service links off.
_SERVICE_LINK: Final = re.compile(r"SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\w+)?")

Command = TypeVar("Command", bound=Callable[..., Any])


class SettingOption(click.Option):
    """An option whose wrong value does not keep click from looking at the others: :func:`wrong_settings` tells of it."""

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """As click does it; a wrong value is noted and becomes empty, which is not what was never given."""
        try:
            return super().handle_parse_result(ctx, opts, args)
        except click.BadParameter as error:
            ctx.meta.setdefault(_WRONG, []).append(f"{self.opts[0]}: {error.message.rstrip('.')}")
            ctx.params[self.name or ""] = ""
            return None, args


setting = partial(click.option, cls=SettingOption)
"""As ``click.option``, for options that are settings."""


def wrong_settings(context: click.Context) -> Sequence[str]:
    """A line for each setting of this command that click found wrong."""
    found: Sequence[str] = context.meta.get(_WRONG, ())
    return found


def unknown_variables(context: click.Context, environment: Mapping[str, str]) -> Iterator[str]:
    """A line for each variable that is named as those of this command and is none."""
    prefix = f"{context.auto_envvar_prefix}_"
    known = {name for option in context.command.params for name in _variables(option, context)}
    words = [name.removeprefix(prefix) for name in known]
    for name in sorted(environment):
        word = name.removeprefix(prefix)
        if word == name or name in known or _SERVICE_LINK.fullmatch(word):
            continue
        close = get_close_matches(word, words, n=1)
        yield f"{name} is no setting: " + (
            f"{prefix}{close[0]} may be meant" if close else "docs/settings.md lists them"
        )


def with_variable(context: click.Context, environment: Mapping[str, str], line: str) -> str:
    """A line about a setting with the variable at its end, where the value came from one."""
    for option in context.command.params:
        told = line.startswith((f"{option.opts[0]}:", f"{option.opts[0]} "))
        if told and context.get_parameter_source(option.name or "") is ParameterSource.ENVIRONMENT:
            return f"{line} (from {next(name for name in _variables(option, context) if environment.get(name))})"
    return line


def _variables(option: click.Parameter, context: click.Context) -> Sequence[str]:
    """The variables of an option, the one that goes before the others first."""
    if option.envvar is not None:
        return [option.envvar] if isinstance(option.envvar, str) else option.envvar
    return [f"{context.auto_envvar_prefix}_{(option.name or '').upper()}"]


class NamespaceName(click.ParamType[str]):
    """The name of a namespace; in an environment variable several may stand, with commas or spaces between them."""

    name = "namespace"

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """The names, in their order. What holds no name at all is one that is wrong, and not none."""
        return [each for each in re.split(r"[,\s]+", rv) if each] or [rv]

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as it is; refuses what Kubernetes would not take for one."""
        if re.fullmatch(DNS_LABEL, value) is None:
            self.fail(
                f"{value!r} is no name of a namespace: write small letters, digits and hyphens, 63 at most", param, ctx
            )
        return value
