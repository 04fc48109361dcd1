#!/usr/bin/env bash
# Measures lamina beside its peers on this machine and writes a table (Markdown, JSON) and plots (PNG):
#   bench/run.sh [--peers torch,jax,sklearn,keras,onnxruntime] [--rows tiny,mnist,...] [--isa avx2] [--out DIR]
#   bench/run.sh --help                       all options
#   bench/run.sh sweep [--numpy] [--out DIR]  the sweep of widths and batches: heat map, cliffs
#   bench/run.sh roofline [--rows ...]        what bounds each row: arithmetic, bytes into each cache
# It makes a virtual environment of its own (.venv-bench, or LAMINA_BENCH_VENV), with lamina built from this checkout and
# only the peers asked for; NumPy always. Needs Python >= 3.10 and a C++20 compiler; Fashion-MNIST comes from Debian.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
venv=${LAMINA_BENCH_VENV:-$root/.venv-bench}
# The value of --peers or --rows among the arguments.
value_of() {
  local name=$1
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      "$name") echo "${2:-}"; return ;;
      "$name"=*) echo "${1#*=}"; return ;;
    esac
    shift
  done
}

packages=(matplotlib numpy)
IFS=, read -ra peers <<<"$(value_of --peers "$@")"
for peer in "${peers[@]}"; do
  case $peer in
    torch) packages+=(-r "$root/bench/requirements-torch.txt") ;;
    sklearn) packages+=(scikit-learn) ;;
    keras) packages+=(keras jax) ;;
    onnxruntime) packages+=(onnxruntime onnx) ;;
    jax) packages+=(jax) ;;
    numpy) ;;
    *) echo "bench/run.sh: expected some of torch,jax,sklearn,keras,onnxruntime as --peers, got $peer."; exit 2 ;;
  esac
done
[ -x "$venv/bin/pip" ] || "${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/pip" install -q "${packages[@]}"

wheels=$root/build/bench-wheel
rm -rf "$wheels"
"$venv/bin/pip" wheel -q "$root" --no-deps -w "$wheels"
wheel=$(ls "$wheels"/lamina-*.whl)
"$venv/bin/pip" install -q --force-reinstall --no-deps "$wheel"

rows=$(value_of --rows "$@")
if [ "${1:-}" != sweep ] && [ "${1:-}" != roofline ] && [ ! -d /usr/share/datasets/fashion-mnist ] && [[ ,${rows:-fashion}, == *,fashion,* ]]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends dataset-fashion-mnist >/dev/null ||
      echo "bench/run.sh: dataset-fashion-mnist could not be installed." >&2
  else
    echo "bench/run.sh: for Fashion-MNIST, install dataset-fashion-mnist (Debian, Ubuntu)." >&2
  fi
fi

export PYTHONPATH=$root/bench
if [ "${1:-}" = sweep ] || [ "${1:-}" = roofline ]; then
  exec "$venv/bin/python" -m "lamina_bench.$1" "${@:2}"
fi
exec "$venv/bin/python" -m lamina_bench --wheel "$wheel" "$@"
