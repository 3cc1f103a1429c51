"""The command line: which commands there are, and how an error becomes one line and a code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from io import TextIOWrapper

import click

from audit.errors import HipauditError, did_you_mean

INTERRUPTED = 130
USAGE = 2
INCONCLUSIVE = 3

# name: (module, what it does). The module is imported only when the command is asked for.
COMMANDS = {
    "run": ("run", "Audit a model on labelled radiographs; judge, and write the report."),
    "inspect": ("inspect", "Say how a model and its data are read; attack nothing."),
    "gate": ("gate", "Judge an audit.json by the rules again, without computing anything."),
    "compare": ("compare", "Compare two audits of the same cases, paired case by case."),
    "report": ("report", "Render PDF and HTML from an audit.json again."),
    "verify": ("verify", "Check a report's attachments, hashes and signature."),
    "sign": ("sign", "Sign a report with an Ed25519 key, or make one."),
    "demo": ("demo", "All of it on synthetic radiographs, in a few minutes."),
    "convert": ("convert", "Radiographs to PNG without metadata, and a de-identified manifest."),
    "phantom": ("phantom", "Write labelled synthetic hip radiographs to train and audit on."),
    "train": ("train", "Fit one network by the study's recipe; resumable."),
    "study": ("study", "Fit, test and audit the study's seven networks; write the report."),
    "list": (
        "listing",
        "List stresses, defences, probes, metrics, methods, notes, presets or formats.",
    ),
    "explain": ("explain", "Explain any name of an audit.json or a rule, with its source."),
    "init": ("init", "Write commented hipaudit.toml, card.yaml and model.yaml to fill in."),
    "completion": ("completion", "Print the script for completion in bash, zsh or fish."),
    "doctor": ("doctor", "Check this installation and print the fix for what is wrong."),
}


@dataclass
class Session:
    """What the command line must know when something goes wrong.

    `started`: an audit had begun, so an unexpected end is inconclusive, not a usage error.
    """

    verbose: int = 0
    started: bool = False

    def start(self) -> None:
        from audit.speed.pages import keep_freed_memory

        keep_freed_memory()
        self.started = True

    def talk(self, verbose: int) -> None:
        self.verbose = verbose
        if verbose:
            warnings.simplefilter("default")


class Commands(click.Group):
    """A group that imports a command only when it is asked for, and answers mistyped names."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"hipaudit.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        for param in command.params:  # by the option's name, whatever it is called in the code
            if isinstance(param, click.Option):
                flag = max(param.opts, key=len).removeprefix("--")
                param.envvar = f"HIPAUDIT_{flag.upper().replace('-', '_')}"
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and name not in COMMANDS:
            raise click.UsageError(f'no command "{name}". {did_you_mean(name, list(COMMANDS))}')
        return super().resolve_command(ctx, args)

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


EPILOG = """\b
Examples:
  hipaudit run model.pt --data val/
  hipaudit run model.safetensors --data val.csv --preset quick
  hipaudit gate hipaudit-out/model/audit.json --config hipaudit.toml
  hipaudit demo

Exit codes: 0 done, gate passed or no gate set; 1 gate failed; 2 usage, configuration or
unreadable input; 3 inconclusive; 130 interrupted. Every option can be set in the environment:
HIPAUDIT_PRESET=quick is --preset quick.

Evidence from one data set on one date. Not certification, conformity assessment or legal advice.
"""


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"hipaudit {version('hipaudit')}")
        ctx.exit()


@click.group(
    cls=Commands,
    invoke_without_command=True,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
@click.pass_context
def commands(ctx: click.Context) -> int:
    """An executable medical algorithmic audit of radiograph classifiers.

    From a checkpoint and a labelled folder of radiographs to evidence, to a PDF a hospital's AI
    governance board can sign, and to an exit code a CI pipeline obeys.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
    return USAGE  # of a bare "hipaudit"; a command returns its own


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit with its code; errors are one line on stderr."""
    session = Session()
    warnings.simplefilter("ignore")  # libraries' advice to programmers; -v shows it
    # Looking for other people's plugins of pydantic takes a twentieth of the gate's time.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # "?" for a sign that the terminal has not
            stream.reconfigure(errors="replace")
    try:
        code = _answer(args, session)
        sys.stdout.flush()
    # The reader of our output went away, as `| head` does. click and rich turn that into exit
    # code 1, which here would mean that the gate failed.
    except (BrokenPipeError, SystemExit) as end:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        completed = isinstance(end, SystemExit) and end.code == 0  # the Tab key was answered
        code = 0 if completed else INTERRUPTED
    sys.exit(code)


def _answer(args: list[str] | None, session: Session) -> int:
    try:
        code = commands.main(args=args, prog_name="hipaudit", standalone_mode=False, obj=session)
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted; the same command resumes" if session.started else "interrupted")
        return INTERRUPTED
    except click.ClickException as error:
        words = sys.argv[1:] if args is None else args
        _say(f"error: {_one_line(_click_message(error, words))}")
        return USAGE
    except HipauditError as error:
        _trace(session, error)
        _say(f"error: {error}")
        return error.exit_code
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  the outermost boundary: no traceback for users
        _trace(session, error)
        _say(_unexpected(error))
        return INCONCLUSIVE if session.started else USAGE
    return code if isinstance(code, int) else 0


def _unexpected(error: Exception) -> str:
    """Never the message, which may hold a path."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "error: Expected room to write, but found a full disk. Make room, then run again."
    what = f"internal error: {type(error).__name__} at {_place(error)}"
    return f"{what}; run again with -v, or look at the installation: hipaudit doctor"


def _click_message(error: click.ClickException, words: Sequence[str]) -> str:
    """What is wrong and what to type; `words`: the command line."""
    context = getattr(error, "ctx", None)
    message = error.format_message().rstrip()
    if isinstance(error, click.NoSuchOption) and context is not None:
        message = f'no option "{error.option_name}". {_near(error.option_name, context)}'.rstrip()
    if not isinstance(error, click.UsageError):
        return message
    command = next((word for word in words if word in COMMANDS), "")
    path = context.command_path if context is not None else f"hipaudit {command}".rstrip()
    return f"{message}{'' if message[-1] in '.?' else '.'} Type: {path} --help"


def _near(option: str, context: click.Context) -> str:
    """The option that was probably meant; a list of all of them is no help."""
    params = context.command.get_params(context)  # with --help
    hint = did_you_mean(option, [flag for param in params for flag in param.opts])
    if not hint.startswith("Known"):
        return hint
    early = "Options follow the command, as in: hipaudit run MODEL --data PATH --quiet."
    return early if context.parent is None else ""


def _place(error: Exception) -> str:
    """file:line of the last frame of ours; never the message, which may hold a path."""
    ours = ("hipaudit", "audit", "trainers", "reports")
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        parts = frame.filename.replace(os.sep, "/").split("/")
        if any(part in ours for part in parts[-4:-1]):
            return f"{'/'.join(parts[-2:])}:{frame.lineno}"
    return "an unknown place"


def _trace(session: Session, error: BaseException) -> None:
    """With -v, where it happened, first cause first; a message shows no path (`reason_of`)."""
    if not session.verbose:
        return
    from audit.reasons import reason_of

    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    for each in reversed(chain):
        frames = "".join(traceback.format_tb(each.__traceback__))
        sys.stderr.write(f"Traceback (most recent call last):\n{frames}{reason_of(each)}\n")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _say(text: str) -> None:
    click.echo(_one_line(text), err=True)


if __name__ == "__main__":
    main()
