"""The report of a study says what study.json says, of every kind, and nothing more."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from statsmodels.stats.proportion import proportion_confint

from audit.errors import HipauditError
from audit.results import Finding, Note
from audit.study_results import PairedTest, StudyResults, read_study
from reports.pdf import render_pdf
from reports.study.panels.paired import p_value
from reports.study.render import render_study
from reports.wording import FOOTER, overclaims
from tests.reports import sample_study as sample
from tests.reports.page import Page, read_page

KINDS = ("models", "views", "learning-curve", "resolution", "readers")
HERE = Path(__file__).parent


def of_kind(kind: Any) -> StudyResults:
    if kind == "learning-curve":
        return sample.study(kind, models=sample.points("images", (64, 256, 1024)))
    if kind == "resolution":
        return sample.study(kind, models=sample.points("size", (64, 128, 224)))
    if kind == "readers":
        return sample.study(kind, models=(), findings=sample.reader_findings())
    return sample.study(kind, models=sample.light(3))


def small(**rest: Any) -> StudyResults:
    return sample.study(**{"models": sample.light(2), **rest})


@cache
def html_of(kind: Any) -> str:
    return render_study(of_kind(kind), HERE)


def page_of(results: StudyResults, folder: Path = HERE, **rest: Any) -> Page:
    return read_page(render_study(results, folder, **rest))


@pytest.fixture(scope="module")
def seven() -> Page:
    return page_of(sample.study())


def test_the_sample_s_wilson_limits_are_those_of_statsmodels():
    for k, n in ((381, 400), (1617, 1676), (5, 5)):
        assert sample.wilson(k, n) == pytest.approx(proportion_confint(k, n, method="wilson"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_one_closed_page_that_fetches_nothing(kind):
    html = html_of(kind)
    page = read_page(html)
    assert page.unclosed == []
    assert page.tags("script") == []
    assert not re.search(r'(?:src|href)="(?!data:|#)', html)
    assert "http://" not in re.sub(r"http://www\.w3\.org/\S+", "", page.text)
    assert FOOTER in page.text


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_has_words_and_every_chart_stands_before_a_table(kind):
    page = read_page(html_of(kind))
    tags = [tag for tag, _ in page.elements]
    pictures = page.tags("img")
    assert pictures
    assert all(picture["alt"].strip() for picture in pictures)
    places = [at for at, tag in enumerate(tags) if tag == "img"]
    assert "table" in tags[places[-1] :]


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_holds_a_word_that_no_study_can_establish(kind):
    text = read_page(html_of(kind)).text
    assert overclaims(text) == []
    assert not re.search(r"\bcompl(?:y|ies)\b|\bresistant\b", text, re.IGNORECASE)


def test_each_accuracy_stands_with_its_wilson_interval_and_count_beside_the_published(seven):
    for title, _, right, value, _ in sample.SEVEN:
        low, high = proportion_confint(right, 400, method="wilson")
        shown = rf"{right / 4:.1f}% {100 * low:.1f}–{100 * high:.1f}% · {right}/400"
        assert shown in seven.text, title
        low, high = proportion_confint(round(value * 1676), 1676, method="wilson")
        beside = f"{100 * value:.2f}% {100 * low:.2f}–{100 * high:.2f}% · n = 1676"
        assert f"{shown} {beside}" in seven.text, title


def test_the_best_model_is_named_and_its_number_called_optimistic(seven):
    assert "Best of 7: Densenet169" in seven.text
    assert "The best of 7 was chosen on the test split it is reported on" in seven.text


def test_one_model_has_no_best_of_warning():
    text = page_of(small(models=sample.light(1))).text
    assert "The best of" not in text
    assert "Best of" not in text


def test_synthetic_data_is_said_on_the_first_page_and_real_data_is_not_called_so(seven):
    assert "SYNTHETIC DATA: no patient was examined." in seven.text
    assert "SYNTHETIC" not in page_of(small(synthetic=False)).text


def test_judging_on_the_images_that_chose_the_weights_is_called_optimistic():
    words = "judged on the images that chose their weights"
    assert words in page_of(small(as_published=True)).text
    assert words not in page_of(small(as_published=False)).text


def test_a_model_that_failed_is_named_with_its_reason_and_loses_nothing_of_the_others():
    made = (*sample.light(2), sample.failed("VGG_19", "vgg19_bn", "loss not finite at step 7"))
    text = page_of(sample.study(models=made)).text
    assert "Models without a result" in text
    assert "loss not finite at step 7" in text
    assert "Without a result: VGG_19." in text
    assert "381/400" in text


def test_a_published_model_that_was_not_trained_keeps_its_row():
    text = page_of(small()).text
    assert "Alexnet – – not in this study 88.00%" in text
    assert "Published in: thesis 2019, table 2." in text


def test_a_model_that_may_know_only_the_commoner_class_is_named():
    weak = sample.trained("Weak", "weak", 235, 1, range_tests=(), epochs=())
    text = page_of(sample.study(models=(*sample.light(1), weak))).text
    assert "Not shown to do better than always answering the commoner class (57.5%): Weak." in text
    assert "Not shown to do better" not in page_of(small()).text


def test_pairs_are_a_matrix_with_p_above_and_counts_below_the_diagonal():
    tests = (
        PairedTest(
            first="densenet169", second="resnet50", metric="accuracy",
            only_first=21, only_second=4, n=400, p=0.001, p_holm=0.003,
        ),
        PairedTest(
            first="vgg19_bn", second="densenet169", metric="accuracy",
            only_first=3, only_second=9, n=400, p=0.146, p_holm=0.292,
        ),
        PairedTest(
            first="resnet50", second="vgg19_bn", metric="accuracy",
            only_first=5, only_second=5, n=400, p=1.0, p_holm=1.0,
        ),
    )  # fmt: skip
    text = page_of(small(models=sample.light(3), tests=tests)).text
    # Rows in the order of the models; below the diagonal the row's own count comes first.
    assert "1 Densenet169 .003 .292 2 Resnet50 4/21 1 3 VGG_19 3/9 5/5" in text
    assert "Pairs of models that differ in accuracy: 1 of 3" in text


def test_twelve_models_have_their_pairs_in_a_list():
    text = page_of(sample.study(models=sample.light(12))).text
    assert "Only first / only second" in text
    assert "Next network 5" in text


def test_p_values_are_printed_as_journals_do():
    shown = [p_value(p) for p in (0.0, 0.00099, 0.001, 0.0499, 0.3, 0.9996, 1.0)]
    assert shown == ["<.001", "<.001", ".001", ".050", ".300", "1", "1"]


def test_every_number_of_the_recipe_is_there_and_what_differs_is_beside_its_model(seven):
    assert "max epochs 40 Largest number of epochs after the body was unfrozen." in seven.text
    assert "Densenet169 0.003481 0.01" in seven.text
    assert "Resnet152 0.00346 0.001" in seven.text


def test_what_training_used_is_told_apart_from_what_was_asked():
    used = {"device": "cpu", "torch": "2.15.0", "phases": {"all": {"lr": 0.00123}}, "tried": {}}
    made = tuple(
        m.model_copy(update={"recipe": {"lr": "auto", "used": used}}) for m in sample.light(2)
    )
    text = page_of(small(models=made)).text
    assert "Recipe: the same for all models Setting Value What it is lr auto" in text
    assert "all layers: lr 0.00123 Peak rate of the last layer group." in text
    assert "tried none" in text
    assert "used.device" not in text
    assert "2.15.0 " not in text.partition("How to repeat this")[0]


def test_every_setting_of_a_recipe_is_explained():
    from dataclasses import fields

    from reports.texts import text_data
    from trainers.recipe import Recipe

    explained = text_data("study/recipe_words.yaml")
    assert {field.name for field in fields(Recipe)} - set(explained) == set()


def test_a_finished_model_whose_audit_failed_is_said():
    made = (sample.light(1)[0].model_copy(update={"reason": "the audit failed: disk full"}),)
    assert "Densenet169: the audit failed: disk full." in page_of(small(models=made)).text


def test_a_warning_the_study_gives_itself_is_not_given_twice():
    note = Note(code="best-of-several", level="warning", text="The best looks better than it is.")
    text = page_of(small(notes=(note,))).text
    assert "The best of 2 was chosen" not in text
    assert "The best looks better than it is." in text


def test_the_suggested_rate_of_the_chosen_decay_is_printed(seven):
    assert f"{1e-7 * 1e8**0.52:.2e}" in seven.text


def test_the_epochs_that_matter_are_in_the_table(seven):
    assert "Densenet169 8 1.3e-04" in seven.text  # the last frozen one
    assert "Densenet169 15* 6.7e-05" in seven.text  # the one kept
    assert "Densenet169 9 " not in seven.text


def test_each_audit_is_named_by_its_path_and_its_run(seven):
    assert "models/densenet169/audit/audit.json" in seven.text
    assert str(sample.models(1)[0].audit_run_id) in seven.text


def test_robust_shares_stand_by_model_and_level(seven):
    robust = sample.models(1)[0]
    found = [f for f in robust.findings if f.metric == "robust_accuracy"]
    for f in found:
        assert f"{f.events}/{f.n}" in seven.text
    assert "FGSM, ε = 2/255" in seven.text


def test_what_nobody_could_count_under_stress_is_one_line_and_no_table_of_dashes():
    few = Finding(metric="robust_accuracy", stress="fgsm", params={"epsilon": 1 / 255}, n=5,
                  reason="fewer than 10 cases (5)")  # fmt: skip
    made = sample.light(2)
    kept = tuple(f for f in made[0].findings if f.stress == "clean")
    bare = tuple(m.model_copy(update={"findings": (*kept, few)}) for m in made)
    text = page_of(small(models=bare)).text
    assert "Robust accuracy. Too few images under every stress to count by." in text
    assert "Robust accuracy by stress" not in text


def test_the_rate_that_was_used_stands_beside_the_suggestions():
    made = sample.models(1)[0]
    used = {"phases": {"frozen": {"lr": 0.00077}}}
    made = made.model_copy(update={"recipe": {"used": used}, "epochs": ()})
    text = page_of(small(models=(made,))).text
    assert "7.70e-04" in text.partition("Training curves")[2]


def test_what_the_published_text_leaves_open_is_listed(seven):
    assert "6,952 + 1,676 = 8,628: 15 are unaccounted for." in seven.text


def test_the_splits_are_told_with_patients_and_prevalence(seven):
    assert "Training 2048 800 43.1% fracture 883, normal 1165 frontal 1200, lateral 848" in (
        seven.text
    )


def test_pictures_are_embedded_and_one_that_was_changed_is_left_out_by_name(tmp_path):
    results = small(artefacts=sample.pictures(tmp_path))
    whole = page_of(results, tmp_path)
    assert sum(img["src"].startswith("data:image/png") for img in whole.tags("img")) == 10
    assert "missing or was changed" not in whole.text
    (tmp_path / "figures" / "fgsm-0.png").write_bytes(b"\x89PNG\r\n\x1a\nanother")
    (tmp_path / "figures" / "unsure-wrong-1.png").unlink()
    page = page_of(results, tmp_path)
    assert sum(img["src"].startswith("data:image/png") for img in page.tags("img")) == 8
    assert page.text.count("missing or was changed after the study") == 2


def test_a_picture_outside_the_folder_is_never_read(tmp_path):
    home = tmp_path / "study"
    home.mkdir()
    digest = sample.png(tmp_path / "outside.png", 32, 32)
    inside = sample.pictures(home)[0]
    for path in ("../outside.png", str(tmp_path / "outside.png")):
        artefact = inside.model_copy(update={"path": path, "sha256": digest})
        page = page_of(small(artefacts=(artefact,)), home)
        assert not [img for img in page.tags("img") if "image/png" in img["src"]]
        assert "missing or was changed after the study" in page.text


def test_the_edition_without_images_has_charts_but_no_picture_of_a_patient(tmp_path):
    results = small(artefacts=sample.pictures(tmp_path))
    page = page_of(results, tmp_path, images=False)
    assert not [img for img in page.tags("img") if "image/png" in img["src"]]
    assert "Left out: 10 pictures (edition without images)." in page.text


def test_captions_say_what_the_figures_do_not_show(tmp_path):
    text = page_of(small(artefacts=sample.pictures(tmp_path)), tmp_path).text
    for figure in ("Figure 1.", "Figure 2.", "Figure 3.", "Figure 4.", "Figure 5."):
        assert figure in text
    assert "One chosen example says nothing about how often the attack works" in text
    assert "Confidence is not correctness" in text


def test_differences_between_arrangements_are_rows_with_their_interval():
    f = Finding(
        metric="accuracy", params={"model": "resnet50"}, contrast="model=densenet169",
        value=-0.01, low=-0.03, high=0.012, n=400,
    )  # fmt: skip
    text = page_of(small(kind="views", findings=(f,))).text
    assert "accuracy Resnet50 Densenet169 all −1.0 points (95% CI −3.0 to +1.2; n = 400)" in text


def test_every_point_of_a_curve_is_in_the_table():
    text = read_page(html_of("learning-curve")).text
    for size in ("64", "256", "1024"):
        assert re.search(rf"\b{size} resnet18\b", text)
    assert "One fit per point" in text


def test_localisation_is_a_column_of_the_resolution_sweep():
    text = read_page(html_of("resolution")).text
    assert "Grad-CAM inside the box" in text
    assert "20.0%" in text
    assert "Largest of 3: ResNet-18 (resnet18-224)" in text


def test_agreement_is_told_as_kappa_with_three_decimals():
    text = read_page(html_of("readers")).text
    assert "reader 1 and reader 2: all" in text
    assert ".820 .730–.900" in text
    assert "82.0%" not in text


def test_a_network_of_one_view_is_no_rival_of_those_that_saw_all_images():
    alone = sample.trained(
        "Frontal only", "resnet18", 399, 1, settings={"arrangement": "per-view", "view": "frontal"},
        epochs=(), range_tests=(),
    )  # fmt: skip
    text = page_of(small(kind="views", models=(*sample.light(2), alone))).text
    assert "Best of 2: Densenet169" in text
    assert "Frontal only tested on frontal images only" in text
    assert "Accuracy for Frontal only" not in text


def test_readers_have_their_calls_compared_and_no_model_is_called_best():
    tests = (
        PairedTest(
            first="reader 1", second="reader 2", metric="positive calls",
            only_first=9, only_second=2, n=400, p=0.065, p_holm=0.065,
        ),
    )  # fmt: skip
    model = sample.trained("Net", "resnet18", 300, 1, epochs=(), range_tests=(), findings=())
    results = sample.study(
        "readers", models=(model,), tests=tests, findings=sample.reader_findings()
    )
    text = page_of(results).text
    assert "reader 1 reader 2 9/2 400 .065 .065" in text
    assert "Images called positive by the first only" in text
    assert "Best of" not in text
    assert "Models with a result" not in text


def test_where_nothing_was_fitted_nothing_is_claimed_of_what_a_model_was_fitted_to():
    whole = of_kind("readers")
    results = whole.model_copy(update={"splits": whole.splits[2:]})
    text = page_of(results).text
    assert "took no part in fitting" not in text
    assert "fitted to any of these images is not known" in text


def test_a_model_that_recorded_no_training_makes_no_difference_between_the_others():
    one, two = sample.light(2)
    used = {"used": {"device": "cpu", "steps_per_epoch": 5}}
    models = tuple(
        model.model_copy(update={"recipe": {"lr": 0.001, **more}})
        for model, more in ((one, used), (two, {"used": {}}))
    )
    text = page_of(small(models=models)).text
    assert "what differs between models" not in text
    assert "steps per epoch 5" in text


def test_two_models_of_one_title_are_told_apart():
    made = tuple(
        sample.trained("Same", "resnet18", 300 + i, 1, name=f"fit-{i}", epochs=(), range_tests=())
        for i in range(2)
    )
    text = page_of(sample.study(models=made)).text
    assert "Same (fit-0)" in text
    assert "Same (fit-1)" in text


@pytest.mark.parametrize("kind", KINDS)
def test_text_from_the_study_is_never_markup(kind, tmp_path):
    evil = '"><script>alert(1)</script><img src=x onerror=y>'
    results = poisoned(of_kind(kind), evil)
    page = page_of(results, tmp_path)
    assert page.tags("script") == []
    assert all("onerror" not in attributes for _, attributes in page.elements)
    assert page.unclosed == []
    assert "alert(1)" in page.text


def poisoned(results: StudyResults, text: str) -> StudyResults:
    """Every free text of the study with a text of our choosing before it."""
    fixed = {"metric", "stress", "state", "kind", "level", "sha256", "defence", "variant", "date"}
    fixed |= {"phase", "method"}
    renamed = {"labels", "views", "packages", "recipe"}

    def fill(value: Any, key: str) -> Any:
        if isinstance(value, dict):
            prefix = text if key in renamed else ""
            return {f"{prefix}{name}": fill(inner, name) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [fill(inner, key) for inner in value]
        names = key == "name" and value in ("train", "val", "test")
        if isinstance(value, str) and key not in fixed and not names:
            return f"{text}{value}"
        return value

    return StudyResults.model_validate(fill(results.model_dump(), ""))


def test_a_study_without_anything_still_has_a_report(tmp_path):
    empty = sample.study(
        models=(), tests=(), published=(), inconsistencies=(), notes=(), splits=(), baseline=None
    )
    page = page_of(empty, tmp_path)
    assert page.unclosed == []
    assert "Limits of this study" in page.text


def test_study_json_reads_back_as_it_was_written_and_damage_is_one_line(tmp_path):
    results = sample.study()
    path = tmp_path / "study.json"
    path.write_text(results.to_json(), encoding="utf-8")
    assert read_study(path) == results
    path.write_text(results.to_json()[:-200], encoding="utf-8")
    with pytest.raises(HipauditError, match="study"):
        read_study(path)


def test_rendering_twice_gives_the_same_text(tmp_path):
    results = small(artefacts=sample.pictures(tmp_path))
    assert render_study(results, tmp_path) == render_study(results, tmp_path)


def test_the_page_becomes_a_tagged_pdf_of_numbered_pages_with_its_footer(tmp_path):
    results = small(models=sample.light(1), artefacts=sample.pictures(tmp_path)[:1])
    html = render_study(results, tmp_path)
    attached = {"study.json": results.to_json().encode()}
    pdf = render_pdf(html, attachments=attached, date=results.provenance.date)
    assert pdf.startswith(b"%PDF")
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext here")
    (tmp_path / "r.pdf").write_bytes(pdf)
    command = ["pdftotext", "-layout", str(tmp_path / "r.pdf"), "-"]
    pages = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\f")
    count = len(pages) - 1
    for number, page in enumerate(pages[:-1], start=1):
        assert f"page {number} of {count}" in page
        assert "Not certification, conformity assessment" in page
        assert "SYNTHETIC DATA" in page
    assert "Keep in mind" in pages[0]
