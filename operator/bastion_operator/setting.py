"""The options of `bastion-operator run` as settings: each is a flag and an environment variable, and is judged by itself."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import click

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
DNS_LABEL: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_WRONG: Final = "bastion_operator.wrong_settings"

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
