#!/usr/bin/env bash
# Builds the library and runs its C++ tests with the other compilers and for the other processors: Clang (C++20 and
# C++23, with a consumer), GCC with each instruction set, and aarch64 under qemu. Not part of tests/run.sh.
#   tests/portability.sh [clang] [cxx23] [isa] [aarch64]     all of them without arguments
# CLANG and GCC name other compilers than clang++ (14 or newer) and g++ (12 or newer).
set -euo pipefail
cd "$(dirname "$0")/.."

step="setup"
trap 'status=$?; [ $status = 0 ] || printf "\ntests/portability.sh: FAILED in step %s (exit %d, %d s)\n" "$step" $status $SECONDS' EXIT
begin() { step=$1; printf '\n==> %s\n' "$step"; }

# need DEBIAN_PACKAGE COMMAND...: installs the package unless the command succeeds.
need() {
  local package=$1
  shift
  "$@" >/dev/null 2>&1 && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
  else
    echo "tests/portability.sh: please install $package (Debian, Ubuntu: apt-get install $package) and run this again."
    exit 1
  fi
}
has_header() { echo "#include <$1>" | g++ -std=c++20 -E -x c++ -; }

jobs=${JOBS:-$(nproc)}
folder=${FOLDER:-build/portability}
gcc=${GCC:-g++}
clang=${CLANG:-$(command -v clang++ || command -v clang++-14 || echo clang++)}
parts=${*:-clang cxx23 isa aarch64}
wants() { [[ " $parts " == *" $1 "* ]]; }

begin "tools"
need g++ command -v "$gcc"
need cmake command -v cmake
need ninja-build command -v ninja
need doctest-dev has_header doctest/doctest.h
if wants clang || wants cxx23; then need clang command -v "$clang"; fi
if wants aarch64; then
  need g++-aarch64-linux-gnu command -v aarch64-linux-gnu-g++
  need qemu-user command -v qemu-aarch64
fi

# at_least COMPILER MAJOR
at_least() {
  local version
  version=$("$1" -dumpversion)
  [ "${version%%.*}" -ge "$2" ] || { echo "tests/portability.sh: expected $1 $2 or newer, got $version."; exit 1; }
}
# build NAME OPTION...: configures, builds the tests and runs them.
build() {
  local tree=$folder/$1
  shift
  cmake -S . -B "$tree" -G Ninja --log-level=WARNING -DCMAKE_BUILD_TYPE=Release -DLAMINA_BUILD_TESTS=ON "$@"
  cmake --build "$tree" -j "$jobs"
}
# consume NAME COMPILER OPTION...: installs that tree and builds a stranger's program on it.
consume() {
  local tree=$folder/$1 compiler=$2
  shift 2
  cmake --install "$tree" --prefix "$tree/prefix" >/dev/null
  rm -rf "$tree/consumer"  # it may be of another compiler
  cmake -S tests/consumer -B "$tree/consumer" -G Ninja --log-level=WARNING -DCMAKE_CXX_COMPILER="$compiler" \
    -DCMAKE_PREFIX_PATH="$PWD/$tree/prefix" "$@"
  cmake --build "$tree/consumer" -j "$jobs"
  "$tree/consumer/consumer"
  LAMINA_ISA=baseline "$tree/consumer/consumer" | grep -q baseline
}

if wants clang; then
  begin "Clang, warnings as errors, its consumer, and one of its objects with GCC"
  at_least "$clang" 14
  build clang -DCMAKE_CXX_COMPILER="$clang" -DLAMINA_DEV_WARNINGS=ON
  ctest --test-dir "$folder/clang" --output-on-failure
  consume clang "$clang"
  consume clang "$gcc" -DCMAKE_BUILD_TYPE=Debug
fi

if wants cxx23; then
  begin "C++23"
  at_least "$gcc" 12
  build cxx23 -DCMAKE_CXX_COMPILER="$gcc" -DCMAKE_CXX_STANDARD=23 -DLAMINA_DEV_WARNINGS=ON
  ctest --test-dir "$folder/cxx23" --output-on-failure
  consume cxx23 "$clang" -DCMAKE_CXX_STANDARD=23
fi

if wants isa; then
  begin "GCC, each instruction set from SSE2 on"
  at_least "$gcc" 12
  build gcc -DCMAKE_CXX_COMPILER="$gcc" -DLAMINA_DEV_WARNINGS=ON
  for isa in baseline avx2 avx512; do
    if [ $isa = baseline ] || grep -qw "${isa/avx512/avx512f}" /proc/cpuinfo; then
      echo "LAMINA_ISA=$isa"
      LAMINA_ISA=$isa "$folder/gcc/tests/cpp/lamina_tests" --minimal
    else
      echo "NOT TESTED: this CPU has no $isa"
    fi
  done
fi

if wants aarch64; then
  begin "aarch64 under qemu"
  build aarch64 -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
    -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
    -DCMAKE_FIND_ROOT_PATH=/usr/aarch64-linux-gnu -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY \
    -DCMAKE_CXX_FLAGS=-idirafter\ /usr/include -DLAMINA_BUILD_EXAMPLES=OFF
  # All but the tests that fork: qemu's user mode does not survive a fork beside threads.
  QEMU_LD_PREFIX=/usr/aarch64-linux-gnu qemu-aarch64 "$folder/aarch64/tests/cpp/lamina_tests" --minimal -tce="*forked*"
  # Vectorised for NEON: the matrix kernel is made of fused multiply-adds of four lanes.
  fused=$(aarch64-linux-gnu-objdump -d "$folder"/aarch64/CMakeFiles/lamina.dir/cpp/lamina/kernels/isa/baseline.cpp.o |
    grep -cE '\sfmla\s+v[0-9]+\.4s')
  echo "$fused fused multiply-adds of four lanes"
  [ "$fused" -ge 50 ]
fi

printf '\ntests/portability.sh: passed (%s) in %d s\n' "$parts" $SECONDS
