#!/bin/sh
# Cheap checks on the text of the repository: layers, forbidden flags, unfinished work, clean notebooks.
set -eu
cd "$(dirname "$0")/.."
status=0
complain() { echo "check_text: $1" >&2; status=1; }
python3 tools/check_layers.py || status=1
! git grep -nE -e '-ffast-math|use_fast_math' -- '*.txt' '*.cmake' '*.json' || complain "fast-math is not allowed"
! git grep -nE '\b(TODO|FIXME|XXX)\b' -- '*.cpp' '*.hpp' '*.cu' '*.py' '*.md' '*.toml' ':!tools/check_text.sh' || complain "unfinished work"
long=$(git ls-files -z -- '*.cpp' '*.hpp' '*.cu' '*.cuh' '*.inl' '*.py' | xargs -0 -r wc -l | awk '$1 > 600 && $2 != "total" {print $2}')
[ -z "$long" ] || complain "files over 600 lines: $long"
python3 tools/nbclean.py --check notebooks/*.ipynb || status=1
exit $status
