#!/usr/bin/env bash
# Runs the tests of lamina with PyTorch, JAX, Keras and scikit-learn, and the doctests that need them; none may skip.
# It makes a virtual environment of its own (.venv-peers, or LAMINA_PEERS_VENV) with all of them, and lamina built from
# this checkout, or from the wheel that LAMINA_WHEEL names. Needs Python >= 3.10 and, without a wheel, a C++20 compiler.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${LAMINA_PEERS_VENV:-$PWD/.venv-peers}
[ -x "$venv/bin/pip" ] || "${PYTHON:-python3}" -m venv "$venv"
# PyTorch's own dependencies on Linux are gigabytes of CUDA; on a CPU it needs these alone.
"$venv/bin/pip" install -q filelock fsspec jinja2 networkx sympy typing-extensions
"$venv/bin/pip" install -q --no-deps -r bench/requirements-torch.txt
"$venv/bin/pip" install -q h5py hypothesis jax keras matplotlib pandas polars pytest safetensors scikit-learn scipy tensorboardX
if [ -z "${LAMINA_WHEEL:-}" ]; then
  rm -rf build/peers-wheel
  "$venv/bin/pip" wheel -q . --no-deps -w build/peers-wheel
  LAMINA_WHEEL=$(ls build/peers-wheel/lamina-*.whl)
fi
"$venv/bin/pip" install -q --force-reinstall --no-deps "$LAMINA_WHEEL"
for backend in jax torch; do
  printf '==> Keras on %s\n' "$backend"
  LAMINA_PEERS=all KERAS_BACKEND=$backend "$venv/bin/python" -m pytest -q tests/python/test_convert.py
done
LAMINA_PEERS=all KERAS_BACKEND=jax "$venv/bin/python" -m pytest -q tests/python/test_dlpack.py tests/python/test_doctests.py
