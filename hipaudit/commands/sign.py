"""hipaudit sign: put a board's signature beside a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hipaudit.parameters import ENVIRONMENT, FILE, TALK, with_options

HELP = """Sign REPORT.pdf with an Ed25519 key; the signature is written to REPORT.pdf.sig.

It shows that the report was not changed since, and which key signed it; who holds the key is for
your organisation to say. Keep the private key off the machine that runs audits.
"""
EPILOG = """\b
Examples:
  hipaudit sign --new-key board.pem        once; board.pub.pem is for everyone
  hipaudit sign report.pdf --key board.pem
  hipaudit verify report.pdf --key board.pub.pem
"""


@click.command("sign", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
@click.argument("report", type=FILE, metavar="[REPORT.pdf]", required=False)
@click.option("--key", type=FILE, metavar="PEM", help="The private key to sign with.")
@click.option("--new-key", type=FILE, metavar="PEM", help="Make a key there (mode 0600) instead.")
@with_options(TALK)
@click.pass_obj
def command(
    session: Any,
    /,
    report: Path | None,
    key: Path | None,
    new_key: Path | None,
    quiet: bool,
    verbose: int,
) -> int:
    session.talk(verbose)
    from audit.errors import HipauditError
    from audit.files import write_whole
    from hipaudit.sealing import keys, verify

    if new_key is not None:
        if report is not None or key is not None:
            raise HipauditError("--new-key alone", "a report or --key with it", "Sign afterwards.")
        public = keys.new_key(new_key)
        told = f"private key: {new_key} (keep it)\npublic key:  {public} (give it to everyone)"
        print_unless(quiet, f"{told}\nfingerprint: {keys.fingerprint(keys.public_key(public))}")
        return 0
    if report is None or key is None:
        raise HipauditError(
            "a report and a key", "one of them missing", "Type: hipaudit sign report.pdf --key PEM"
        )
    wrong = [check for check in verify.verified(report) if check.state == "FAILED"]
    wrong = [check for check in wrong if check.what != "signature"]  # an old one is replaced
    if wrong:
        raise HipauditError(
            "a report whose parts belong together",
            f"{wrong[0].what}: {wrong[0].why}",
            "Render it again: hipaudit report AUDIT.json",
        )
    place = report.with_name(report.name + verify.SUFFIX)
    if other := verify.signed_by_another(report, keys.public_half(key)):
        raise HipauditError(
            "a report that nobody else signed",
            f"a valid signature by the key {other}",
            f"Move {place.name} elsewhere first; hipaudit verify --signature FILE finds it there.",
        )
    if keys.is_open(key):
        click.echo(f"warning: others can read {key.name}; type: chmod 600 {key}", err=True)
    write_whole(place, keys.sign(report.read_bytes(), key))
    print_unless(quiet, f"signed: {place}")
    return 0


def print_unless(quiet: bool, text: str) -> None:
    if not quiet:
        click.echo(text)
