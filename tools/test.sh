#!/bin/sh
# All tests from nothing: installs what is missing, builds eos with its tests, runs them. Arguments are passed to ctest.
set -eu
cd "$(dirname "$0")/.."
tools/setup.sh test
cmake --preset release >build-configure.log 2>&1 || { cat build-configure.log >&2; exit 3; }
rm -f build-configure.log
cmake --build --preset release --target all all_verify_interface_header_sets
exec ctest --preset release --output-on-failure -j "$(nproc)" "$@"
