#!/usr/bin/env bash
# Builds the documentation site into build/docs/html; any warning is an error.
# It makes a virtual environment of its own (.venv-docs, or LAMINA_DOCS_VENV) with lamina built from this checkout, or
# from the wheel that LAMINA_WHEEL names. Needs Python >= 3.11 (Sphinx does) and, without a wheel, a C++20 compiler.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${LAMINA_DOCS_VENV:-$PWD/.venv-docs}
[ -x "$venv/bin/pip" ] || "${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/pip" install -q -r docs/requirements.txt
if [ -z "${LAMINA_WHEEL:-}" ]; then
  rm -rf build/docs/wheel
  "$venv/bin/pip" wheel -q . --no-deps -w build/docs/wheel
  LAMINA_WHEEL=$(ls build/docs/wheel/lamina-*.whl)
fi
"$venv/bin/pip" install -q --force-reinstall --no-deps "$LAMINA_WHEEL"
"$venv/bin/python" -m sphinx -W --keep-going -q -b html docs build/docs/html
echo "docs/build.sh: build/docs/html/index.html is there, without a warning"
