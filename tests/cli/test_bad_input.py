"""Whatever is typed or given: the right exit code, one line on stderr, nothing half written."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny import write_images, write_model

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A model and data that are in order; copied for each test that changes them."""
    folder = tmp_path_factory.mktemp("kept")
    write_model(folder / "model.pt")
    write_images(folder / "val")
    return folder


@pytest.fixture
def here(kept, tmp_path):
    """The working directory: model.pt and val/ in it."""
    shutil.copytree(kept, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def refused(hipaudit, tmp_path):
    """Call, and hold the answer to the form of every refusal; returns the line."""

    def call(*args: object, code: int = 2) -> str:
        before = everything(tmp_path)
        found, out, err = hipaudit(*args)
        assert found == code, err
        assert err.startswith("error: "), err
        assert err.count("\n") == 1, err
        assert out == ""
        assert everything(tmp_path) == before, "something was written"
        return err

    return call


def everything(folder: Path) -> dict[str, bytes]:
    """Files that mean something; a lock and an empty folder do not."""
    files = [p for p in folder.rglob("*") if p.is_file() and p.name != ".lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


QUICK = ("-q", "--preset", "ci", "--stress", "fgsm", "--no-images", "--out", "out")
RUN = ("run", "model.pt", "--data", "val", *QUICK)  # so that what is wrongly accepted ends soon


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("run", "modle.pt", "--data", "val"), 'nothing at "modle.pt"'),
        (("run", "val", "--data", "val"), 'a folder at "val"'),
        (("run", "model.pt", "--data", "vla"), 'nothing at "vla"'),
        (("inspect", "modle.pt", "--data", "val"), 'nothing at "modle.pt"'),
        ((*RUN, "--subgroup", "veiw"), '"veiw"'),
        ((*RUN, "--stress", "fgms"), 'Did you mean "fgsm"?'),
        ((*RUN, "--skip", "pdg"), 'Did you mean "pgd"?'),
        ((*RUN, "--defence", "tat"), 'Did you mean "tta"?'),
        ((*RUN, "--positive-class", "fractur"), 'Did you mean "fracture"?'),
        ((*RUN, "--cluster-by", "patient"), '"patient"'),
        ((*RUN, "--split", "test"), 'a folder "test"'),
        ((*RUN, "--labels", "no.csv"), "no.csv"),
        ((*RUN, "--device", "gpu"), '"gpu"'),
        ((*RUN, "--arch", "resnet18"), "Leave --arch out"),
        ((*RUN, "--classes", "a,b"), "normal"),
        ((*RUN, "--classes", "normal,fracture,other"), "3 in --classes"),
        ((*RUN, "--sha256", "00"), "SHA-256"),
        ((*RUN, "--trust-code", "00"), "SHA-256"),
        ((*RUN, "--preprocess", "no.yaml"), "no.yaml"),
        ((*RUN, "--card", "no.yaml"), "no.yaml"),
        ((*RUN, "--baseline", "no.json"), "no.json"),
        ((*RUN, "--out", "model.pt"), "a folder for the results"),
        ((*RUN, "--out", "model.pt/x"), "a folder for the results"),
        ((*RUN, "--output", "pdf=val"), 'the folder "val"'),
    ],
)
def test_a_mistyped_word_is_answered_with_what_was_meant(here, refused, args, said):
    assert said in refused(*args)


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        *(("--eps", value) for value in ("0", "2", "-1", "nan", "inf", "abc", "", "1/0", "1/255,")),
        *(("--max-samples", value) for value in ("0", "-3", "1.5", "many")),
        *(("--max-time", value) for value in ("soon", "-5m", "0", "1x", "", "nan")),
        *(("--batch-size", value) for value in ("0", "-1", "x")),
        *(("--workers", value) for value in ("0", "x")),
        *(("--max-skipped", value) for value in ("2", "-1", "x", "nan")),
        *(("--threshold", value) for value in ("1.5", "-0.1", "x", "nan")),
        *(("--seed", value) for value in ("x", "1.5")),
        *(("--preset", value) for value in ("fast", "")),
        *(("--format", value) for value in ("xml",)),
        *(("--output", value) for value in ("report", "doc=x", "pdf=", "=x")),
        *(("--no-such-flag", value) for value in ("x",)),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_its_flag(here, refused, flag, value):
    said = refused(*RUN, flag, value)
    assert flag in said or flag.strip("-").replace("-", "_") in said


def test_an_empty_folder_is_not_green(here, refused):
    (here / "empty").mkdir()
    assert "an empty folder" in refused("run", "model.pt", "--data", "empty")


def test_a_folder_of_text_files_is_not_green(here, refused):
    (here / "texts" / "normal").mkdir(parents=True)
    for name in ("a.txt", "normal/b.txt"):
        (here / "texts" / name).write_text("no image")
    assert "2 other files" in refused("run", "model.pt", "--data", "texts")


def test_text_that_calls_itself_png_is_not_green(here, refused):
    for label in ("normal", "fracture"):
        (here / "texts" / label).mkdir(parents=True)
        (here / "texts" / label / "a.png").write_text("no image")
    assert "not a PNG, JPEG or DICOM file" in refused("run", "model.pt", "--data", "texts")


def test_one_class_only_is_not_green(here, refused):
    shutil.rmtree(here / "val" / "fracture")
    assert "two or more classes" in refused(*RUN)


def test_a_model_of_other_outputs_is_refused(here, refused):
    write_model(here / "model.pt", ("normal", "fracture", "implant"))
    said = refused("run", "model.pt", "--data", "val", "--classes", "normal,fracture")
    assert "3 class names" in said


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, target: str) -> None:
        self.target = target

    def __reduce__(self):
        return (Path.touch, (Path(self.target),))


@pytest.mark.parametrize("way", ["torch", "pickle"])
def test_a_pickled_object_is_refused_and_does_not_run(here, refused, way):
    import torch

    stream = io.BytesIO()
    content = {"model": Bomb(str(here / "it_ran"))}
    torch.save(content, stream) if way == "torch" else pickle.dump(content, stream)
    (here / "model.pt").write_bytes(stream.getvalue())
    refused(*RUN)
    assert not (here / "it_ran").exists()


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, 0.999])
def test_a_truncated_checkpoint_is_refused(here, refused, keep):
    whole = (here / "model.pt").read_bytes()
    size = int(keep * len(whole)) if isinstance(keep, float) else keep
    (here / "model.pt").write_bytes(whole[:size])
    refused(*RUN)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a: [", b"- a\n- b\n", b"nonsense: 1\n"])
@pytest.mark.parametrize(("flag", "name"), [("--card", "card.yaml"), ("--preprocess", "m.yaml")])
def test_malformed_yaml_is_refused_by_its_name(here, refused, flag, name, content):
    (here / name).write_bytes(content)
    assert name in refused(*RUN, flag, name)


@pytest.mark.parametrize(
    "content", ["schema = ", "schema = 2", "[gate]\n", "schema=1\n[gat]\n", "\0"]
)
def test_a_malformed_rule_file_is_refused(here, refused, content):
    (here / "hipaudit.toml").write_text(content)
    assert "hipaudit.toml" in refused(*RUN)


def test_the_folder_of_another_audit_is_left_alone(here, refused):
    (here / "out").mkdir()
    (here / "out" / "audit.json").write_text("{}")
    assert "--overwrite" in refused(*RUN)


def test_two_runs_in_one_folder_at_once_are_refused(here, refused):
    from audit.folder import claimed

    with claimed(here / "out", "another", overwrite=False):
        (here / "out" / "started.json").unlink()
        assert "another hipaudit at work" in refused(*RUN)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused_before_any_work(here, refused):
    (here / "locked").mkdir()
    (here / "locked").chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert "--out" in refused(*RUN, "--out", "locked/out")


def test_a_full_disk_is_one_line_and_leaves_no_half_file(here, hipaudit, monkeypatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("audit.files.os.fsync", full)
    code, _, err = hipaudit(*RUN)
    assert code == 2
    assert "No space left on device" in err
    assert err.count("\n") == 1
    assert not [p for p in (here / "out").rglob("*") if p.is_file() and p.name != ".lock"]


def test_a_model_that_answers_nan_is_inconclusive_and_says_so(here, hipaudit):
    import torch

    content = torch.load(here / "model.pt", weights_only=True)
    next(iter(content["state_dict"].values())).fill_(float("nan"))
    torch.save(content, here / "model.pt")
    (here / "hipaudit.toml").write_text(
        'schema = 1\n[[gate.rule]]\nid = "HA1"\nmetric = "accuracy"\nmin = 0.1\n'
    )
    code, out, err = hipaudit(*RUN)
    assert code == 3
    assert "NaN" in (here / "out" / "audit.json").read_text()
    assert "Traceback" not in out + err


def test_a_model_that_is_wrong_on_every_case_is_audited_to_the_end(tmp_path):
    import numpy as np

    import hipaudit
    from tests.doubles import Brightness

    levels = np.linspace(0.05, 0.95, 24)
    images = np.repeat(levels, 64).reshape(24, 8, 8)
    labels = ["normal" if level > 0.5 else "fracture" for level in levels]  # the wrong way round
    results = hipaudit.run(
        Brightness(), hipaudit.from_arrays(images, labels), classes=["fracture", "normal"],
        positive_class="fracture", preset="ci", out=tmp_path / "out", report=False,
        preprocess=_no_normalisation(tmp_path),
    )  # fmt: skip
    (accuracy,) = results.find("accuracy", stress="clean", group={}, contrast=None)
    assert (accuracy.events, accuracy.n) == (0, 24)
    assert {run.state for run in results.plan.runs} == {"done"}
    robust = results.find("robust_accuracy", group={}, contrast=None)
    assert {finding.events for finding in robust} == {0}
    success = results.find("attack_success", group={}, contrast=None)
    assert {(finding.value, finding.n) for finding in success} == {(None, 0)}


def _no_normalisation(folder: Path) -> Path:
    path = folder / "model.yaml"
    path.write_text("input: {size: 8, channels: 1, mean: [0.0], std: [1.0]}\n")
    return path


def start(*args: str, **options: object) -> subprocess.Popen[bytes]:
    code = "from hipaudit.cli import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code, *args],
        stderr=subprocess.PIPE, env={**environment, **options.pop("extra", {})}, **options,
    )  # fmt: skip


@pytest.mark.parametrize(
    "args", [("modle.pt", "--data", "val"), ("model.pt", "--data", "vla"),
             ("model.pt", "--data", "val", "--subgroup", "veiw")],
)  # fmt: skip
def test_a_mistyped_path_or_subgroup_is_refused_before_torch_is_imported(kept, args):
    code = (
        "import sys; from hipaudit.cli import Session, _answer; "
        f"code = _answer(['run', *{list(args)}], Session()); "
        "print(code, [m for m in ('torch', 'art') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=kept, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "2 []\n", done.stderr


def test_a_reader_who_goes_away_ends_it_quietly(kept):
    ours, theirs = os.pipe()
    os.close(ours)
    child = start("list", "presets", stdout=theirs, cwd=kept)
    os.close(theirs)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert err == b""


@pytest.mark.parametrize("extra", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {}])
def test_what_is_piped_holds_no_escape_code(audit_json, extra):
    extra = {"NO_COLOR": "", "TERM": "xterm-256color", "COLORTERM": "truecolor", **extra}
    child = start("gate", str(audit_json), stdout=subprocess.PIPE, extra=extra)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    assert b"no gate set" in out
    assert b"\x1b" not in out + err
