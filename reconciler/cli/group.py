"""Groups of commands whose options may be given before or after the command."""

from __future__ import annotations

from difflib import get_close_matches

import click

from reconciler.cli.options import VALUE_OPTIONS

_OWN_OPTIONS = frozenset({"--help", "-h", "--version"})


class CommandGroup(click.Group):
    """Moves the command to the front, so that the command itself accepts or refuses every option."""

    default_command = ""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self._command_first(ctx, args))

    def _command_first(self, ctx: click.Context, args: list[str]) -> list[str]:
        position = find_command(args)
        if position is not None:
            return [args[position], *args[:position], *args[position + 1 :]]
        completes_command = ctx.resilient_parsing and not (args and args[-1] in VALUE_OPTIONS)
        if not args or _OWN_OPTIONS.intersection(args) or not self.default_command or completes_command:
            return args
        return [self.default_command, *args]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args[0] not in known and not ctx.resilient_parsing:
            near = get_close_matches(args[0], known, 1, 0.5)
            hint = f"Did you mean '{near[0]}'?" if near else f"Commands: {', '.join(known)}."
            raise click.UsageError(f"No such command {args[0]!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)


def find_command(args: list[str]) -> int | None:
    """The position of the first word that is neither an option nor the value of one."""
    is_value = False
    for position, word in enumerate(args):
        if is_value:
            is_value = False
        elif word == "--":
            return None
        elif word.startswith("-"):
            is_value = word in VALUE_OPTIONS
        else:
            return position
    return None
