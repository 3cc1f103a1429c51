#!/bin/sh
# Build the wheel, look inside, and use it from a place where the sources are not importable.
set -eu
bin=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$bin/python" -m build --wheel --no-isolation --outdir "$work/dist" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
wheel=$(ls "$work"/dist/*.whl)
"$bin/python" -m zipfile -e "$wheel" "$work/site"
cd "$work"
PYTHONPATH="$work/site" "$bin/python" - <<'PYTHON'
import pathlib, sys, importlib.util
site = pathlib.Path(sys.path[1])
for package in ("hipaudit", "audit", "trainers", "reports"):
    found = pathlib.Path(importlib.util.find_spec(package).origin)
    assert site in found.parents, f"{package} came from the sources, not from the wheel"
for pattern in ("reports/templates/*", "reports/fonts/*", "reports/law/*.yaml", "audit/schema/*.json",
                "audit/checkpoints/*.json"):
    assert list(site.glob(pattern)), f"the wheel holds nothing under {pattern}"
licences = list(site.glob("hipaudit-*.dist-info/licenses/**/*"))
assert any(path.name == "LICENSE" for path in licences), "the wheel holds no licence"
from hipaudit.cli import main
sys.argv = ["hipaudit", "list", "stresses"]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
PYTHON
echo "wheel: packages, templates, fonts, law, schema and signatures are inside, and it runs"
