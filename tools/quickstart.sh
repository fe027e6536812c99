#!/bin/sh
# The main job from nothing: installs what is missing, builds eos, runs `eos demo`. Arguments are passed to the demo.
set -eu
cd "$(dirname "$0")/.."
tools/setup.sh run
cmake --preset quickstart >build-configure.log 2>&1 || { cat build-configure.log >&2; exit 3; }
rm -f build-configure.log
cmake --build --preset quickstart
echo
exec build/release/cli/eos demo "$@"
