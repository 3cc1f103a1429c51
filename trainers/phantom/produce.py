"""Making the radiographs of many patients: in this process, or in several."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from audit.files import write_whole
from audit.speed.threads import one_thread_each
from trainers.phantom.dicom import phantom_dicom
from trainers.phantom.exposure import Exposure, exposures_of, render
from trainers.phantom.people import Person
from trainers.phantom.png import phantom_png
from trainers.phantom.spec import PhantomSpec
from trainers.phantom.table import label_row, truth_row

Rows = list[tuple[dict[str, Any], dict[str, Any]]]
SUFFIX = {"dicom": ".dcm", "png": ".png"}
THREADS = 2  # in this process: one computes while the other writes
WORTH = 100  # radiographs per process below which starting it takes longer than it saves


def produced(
    folder: Path, crowd: Sequence[Person], spec: PhantomSpec, workers: int, device: str
) -> Iterator[Rows]:
    """Rows of labels.csv and ground_truth.csv of each person, once the images are in `folder`.

    `workers`: processes to share the work among; with one, or too little to share, it is done
    here. An image that is there already is left as it is.
    """
    images = sum(person.images for person in crowd)
    task = partial(person_rows, folder, spec=spec, device=device)
    with _executor(min(workers, images // WORTH)) as pool:
        yield from pool.map(task, crowd)


@contextmanager
def _executor(workers: int) -> Iterator[Executor]:
    """Torch computes with one thread everywhere, so that sums do not depend on how many."""
    if workers > 1:
        context = get_context("spawn")  # torch and CUDA do not survive a fork
        with ProcessPoolExecutor(workers, context, initializer=_worker) as processes:
            yield processes
        return
    with one_thread_each(), ThreadPoolExecutor(THREADS) as threads:
        yield threads


def _worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process is interrupted and says so
    torch.set_num_threads(1)


def person_rows(folder: Path, person: Person, spec: PhantomSpec, device: str) -> Rows:
    """Write the radiographs of one person that are not there yet; the rows of all of them."""
    rows = []
    for shot in exposures_of(person, spec):
        name = shot.name + SUFFIX[spec.form]
        if not (folder / name).is_file():
            write_whole(folder / name, file_of(shot, person.split, spec.form, device))
        rows.append((label_row(name, shot, person), truth_row(name, shot, person)))
    return rows


def file_of(shot: Exposure, split: str, form: str, device: str = "cpu") -> bytes:
    """The radiograph as a DICOM or PNG file."""
    pixels = render(shot, device)
    return phantom_png(pixels) if form == "png" else phantom_dicom(pixels, shot, split)
