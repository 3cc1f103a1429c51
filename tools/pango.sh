#!/bin/sh
# Pango draws the text of the PDF. Install it where it is missing, saying so.
set -eu

present() {
    .venv/bin/python - <<'PYTHON' >/dev/null 2>&1
import ctypes.util, sys
sys.exit(0 if ctypes.util.find_library("pango-1.0") else 1)
PYTHON
}

present && exit 0
if command -v apt-get >/dev/null 2>&1; then
    echo "Pango is missing (WeasyPrint needs it for the PDF): installing libpango with apt-get."
    as_root=""
    [ "$(id -u)" -eq 0 ] || as_root="sudo"
    $as_root apt-get update -qq && $as_root apt-get install -y -qq libpango-1.0-0 libpangoft2-1.0-0
elif command -v brew >/dev/null 2>&1; then
    echo "Pango is missing (WeasyPrint needs it for the PDF): installing it with brew."
    brew install pango
fi
present || echo "Pango is still missing: JSON and HTML will be written, the PDF will not."
