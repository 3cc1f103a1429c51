from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script_that_asks_us(hipaudit, shell):
    code, out, _ = hipaudit("completion", shell)
    assert code == 0
    assert f"_HIPAUDIT_COMPLETE={shell}_complete" in out


def test_bash_takes_the_script(hipaudit, tmp_path):
    (tmp_path / "script").write_text(hipaudit("completion", "bash")[1])
    bash = shutil.which("bash")
    child = subprocess.run([bash, "-n", str(tmp_path / "script")], check=False)
    assert child.returncode == 0


@pytest.mark.parametrize(
    ("words", "place", "found"),
    [("hipaudit ga", "1", "plain,gate"), ("hipaudit run --pres", "2", "plain,--preset")],
)
def test_the_tab_key_is_answered_with_exit_code_0(words, place, found):
    asked = {"COMP_WORDS": words, "COMP_CWORD": place, "_HIPAUDIT_COMPLETE": "bash_complete"}
    child = subprocess.run(
        [sys.executable, "-m", "hipaudit"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (child.returncode, child.stdout.split()) == (0, [found])
