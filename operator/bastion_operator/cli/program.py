"""The program around the commands: commands that are loaded when they are called, errors in two lines, exit codes."""

import importlib
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from bastion_operator.cli.errors import Refusal

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

PROGRAM = "kubectl bastion"
COMPLETE_VARIABLE = "_KUBECTL_BASTION_COMPLETE"
"""The environment variable by which shells ask click for completions of ``kubectl-bastion``."""
EXIT_CHECK_FAILED = 1
EXIT_WRONG_USE = 2
EXIT_DEFECT = 70
"""A defect of this program (EX_SOFTWARE of sysexits.h): never 1, which is what a check says no with."""
_EXIT_INTERRUPTED = 130
_PACKAGE: Final = "bastion_operator"
_FRAMES: Final = 3


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """Where a command is defined, as ``module:attribute``, and its line in the list of commands."""

    place: str
    summary: str

    def load(self) -> click.Command:
        """Import it."""
        module, _, attribute = self.place.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


class Program(click.Group):
    """A group whose list of commands needs none of them; every error is told in two lines on stderr, with exit code 2."""

    def __init__(self, *args: Any, lazy: Mapping[str, LazyCommand], **options: Any) -> None:
        super().__init__(*args, **options)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of the table: what is asked first stands first."""
        return [*self._lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; only now its module is imported."""
        lazy = self._lazy.get(cmd_name)
        return super().get_command(ctx, cmd_name) if lazy is None else lazy.load()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in the help, from the table."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.summary) for name, lazy in self._lazy.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """The commands that begin so, from the table, and the program's own options."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415  only when somebody completes

        named = [
            CompletionItem(name, help=lazy.summary) for name, lazy in self._lazy.items() if name.startswith(incomplete)
        ]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, *_: Any, **extra: Any) -> Any:
        """Runs a command as a program: always ends by SystemExit, with a traceback never."""
        extra |= {"standalone_mode": False, "complete_var": COMPLETE_VARIABLE}
        try:
            code = super().main(args, prog_name or PROGRAM, **extra)
            sys.exit(code if isinstance(code, int) else 0)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(EXIT_WRONG_USE)
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx is not None else self._path_of(args)
            _fail(error.format_message().rstrip("."), getattr(error, "remedy", f"see {path} --help"))
        except Refusal as error:
            _fail(error.format_message(), error.remedy)
        except click.ClickException as error:
            _fail(error.format_message(), f"see {PROGRAM} --help")
        except (click.Abort, KeyboardInterrupt):
            sys.exit(_EXIT_INTERRUPTED)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except OSError as error:
            where = error.filename or "the answer"
            _fail(
                f"{where} cannot be read or written: {error.strerror or error}", "check the disk and the file's rights"
            )
        except Exception as error:  # noqa: BLE001  whatever it is, it must not look like the answer of a check
            _fail(f"{PROGRAM} has a defect: {_place_and_kind(error)}", "report this line and the command", EXIT_DEFECT)

    def _path_of(self, args: Sequence[str] | None) -> str:
        """The command that was called: errors of click's parser carry no context."""
        called = next(iter(sys.argv[1:] if args is None else args), "")
        return f"{PROGRAM} {called}" if called in self._lazy else PROGRAM


def _fail(what: str, remedy: str, code: int = EXIT_WRONG_USE) -> NoReturn:
    click.echo(f"error: {_one_line(what)}\nhint: {_one_line(remedy)}", err=True)
    sys.exit(code)


def _place_and_kind(error: Exception) -> str:
    """Where this program's own code was left, and by what: what a traceback would be read for."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [each for each in frames if _PACKAGE in Path(each.filename).parts] or frames
    places = [f"{Path(each.filename).name}:{each.lineno}" for each in ours[-_FRAMES:]]
    return f"{type(error).__name__} at {' > '.join(places)}: {error}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
