"""hipaudit completion: the Tab key."""

from __future__ import annotations

from typing import Any

import click

from hipaudit.parameters import ENVIRONMENT, OneOf

SHELLS = ("bash", "zsh", "fish")
HELP = """Print the script that lets SHELL complete commands and options with the Tab key.

SHELL: bash, zsh or fish.
"""
EPILOG = """\b
Examples:
  hipaudit completion bash >> ~/.bashrc
  hipaudit completion zsh > ~/.zfunc/_hipaudit    fpath+=~/.zfunc in ~/.zshrc
  hipaudit completion fish > ~/.config/fish/completions/hipaudit.fish
"""


@click.command("completion", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
@click.argument("shell", type=OneOf(SHELLS), metavar="SHELL")
@click.pass_context
def command(context: click.Context, /, shell: str) -> int:
    from click.shell_completion import get_completion_class

    kind: Any = get_completion_class(shell)
    root = context.find_root()
    click.echo(kind(root.command, {}, "hipaudit", "_HIPAUDIT_COMPLETE").source())
    return 0
