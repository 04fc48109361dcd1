#!/usr/bin/env bash
# Writes the C++ and C reference to docs/api/cpp/html (or to the folder given) from the comments of the public headers.
# Any warning of Doxygen is an error. PREFIX names an installed lamina; without it the headers are installed here.
set -euo pipefail
cd "$(dirname "$0")/.."
output=${1:-docs/api/cpp}
if ! command -v doxygen >/dev/null; then
  echo "docs/cpp_reference.sh: please install doxygen (Debian, Ubuntu: apt-get install doxygen) and run this again."
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "${PREFIX:-}" ]; then
  cmake -S . -B "$work/build" --log-level=WARNING >/dev/null
  # Headers alone: the library itself need not be built.
  cmake -DCMAKE_INSTALL_COMPONENT=headers -DCMAKE_INSTALL_PREFIX="$work/prefix" -P "$work/build/cmake_install.cmake" >/dev/null
  PREFIX=$work/prefix
fi
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
mkdir -p "$output"
sed -e "s|@VERSION@|$version|; s|@HEADERS@|$PREFIX/include|; s|@OUTPUT@|$output|" docs/Doxyfile >"$work/Doxyfile"
doxygen "$work/Doxyfile"
echo "docs/cpp_reference.sh: wrote $output/html/index.html"
