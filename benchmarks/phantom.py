"""How many phantom radiographs a second one CPU core makes, single-threaded.

    OMP_NUM_THREADS=1 python benchmarks/phantom.py --size 256 --images 48

CPU time is what counts: on a busy machine the wall clock also counts the neighbours.
"""

from __future__ import annotations

import argparse
import platform
import time
from dataclasses import replace

import torch

from trainers.phantom.exposure import Exposure, exposures_of, render
from trainers.phantom.people import people_of
from trainers.phantom.png import phantom_png
from trainers.phantom.spec import EASY, PhantomSpec, scaled


def shots(spec: PhantomSpec, images: int) -> list[Exposure]:
    found = [shot for person in people_of(scaled(spec, 400)) for shot in exposures_of(person, spec)]
    return found[:images]


def rates(todo: list[Exposure], device: str) -> tuple[float, float, int]:
    """Images per second of CPU time and of wall time, and bytes of PNG."""
    for shot in todo[:3]:
        render(shot, device)  # warm
    cpu, wall, size = time.process_time(), time.perf_counter(), 0
    for shot in todo:
        size += len(phantom_png(render(shot, device)))
    return (
        len(todo) / (time.process_time() - cpu),
        len(todo) / (time.perf_counter() - wall),
        size // len(todo),
    )


def main() -> None:
    parse = argparse.ArgumentParser(description=__doc__)
    parse.add_argument("--size", type=int, default=256)
    parse.add_argument("--images", type=int, default=48)
    parse.add_argument("--device", default="cpu")
    asked = parse.parse_args()
    torch.set_num_threads(1)
    print(f"{platform.machine()}, torch {torch.__version__}, {torch.get_num_threads()} thread")
    for name, start in (("default", PhantomSpec()), ("easy", EASY)):
        todo = shots(replace(start, size=asked.size), asked.images)
        cpu, wall, size = rates(todo, asked.device)
        print(f"{name}: {cpu:.1f} images/s of CPU time, {wall:.1f} of wall time; PNG {size} bytes")


if __name__ == "__main__":
    main()
