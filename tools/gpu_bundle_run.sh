#!/bin/sh
# Runs the tests, compute-sanitizer and the benchmarks of this bundle and writes a report. A part that fails does not
# stop the others; the exit code is 1 when any failed. Needs a C library, sh and the GPU's driver, nothing else.
set -u

usage() {
  cat <<'END'
usage: ./run.sh [options]

  --output DIR     where the report and its parts go (default: results, beside this script)
  --quick          short benchmarks, sanitizer on a few tests, a short training
  --no-sanitizer   without compute-sanitizer
  --cpu            the benchmarks of the CPU as well
  --cuda DIR       CUDA folder of this machine, for a bundle without cuBLAS (default: /usr/local/cuda)
  --limit S        seconds that one part may take (default: 1800)
  --help           this text
END
}
here=$(cd "$(dirname "$0")" && pwd)
results="$here/results" quick=no sanitizer=yes cpu=no cuda=/usr/local/cuda limit=1800
while [ $# -gt 0 ]; do
  case $1 in
    --output|--cuda|--limit)
      [ $# -gt 1 ] || { echo "run.sh: $1 needs a value; --help lists the options" >&2; exit 2; }
      case $1 in --output) results=$2 ;; --cuda) cuda=$2 ;; --limit) limit=$2 ;; esac
      shift ;;
    --quick) quick=yes ;;
    --no-sanitizer) sanitizer=no ;;
    --cpu) cpu=yes ;;
    --help|-h) usage; exit 0 ;;
    *) echo "run.sh: unknown option '$1'; --help lists the options" >&2; exit 2 ;;
  esac
  shift
done
fact() { sed -n "s/^$1=//p" "$here/BUNDLE" 2>/dev/null; }
mkdir -p "$results" || exit 2
results=$(cd "$results" && pwd)
export LD_LIBRARY_PATH="$here/lib:$cuda/lib64:$cuda/lib:/usr/local/nvidia/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export EOS_DATA="${EOS_DATA:-$here/data}"
export HOME="${HOME:-/tmp}"
PATH="$here/compute-sanitizer:$PATH:$cuda/bin:/usr/local/nvidia/bin:/usr/sbin:/usr/bin:/bin"

# The device: a bundle with CUDA needs one, a bundle for the CPU says that it has none.
smi() { command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi --query-gpu="$1" --format=csv,noheader 2>/dev/null | head -n 1; }
cpu_name=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
gpu=no device="${cpu_name:-unknown CPU}"
if [ "$(fact cuda)" = ON ]; then
  gpu=yes device=$(smi name)
  export EOS_REQUIRE_GPU=1
  : "${device:=GPU that nvidia-smi does not name}"
fi
name=$(printf '%s-%s' "$(date -u +%Y%m%d-%H%M%S)" "$device" | tr -c 'A-Za-z0-9.\n-' '_')
log=$results/$name
report=$log.md
mkdir -p "$log"
gpu_tests='*OnCuda*:*Cuda.*:*Cuda/*:*cuda*:*the_device_agrees*-Context.says*:Context.is_named*:Train.*'
failed=0 table=

# note NAME STATE DETAIL: a line of the summary. note_failure also makes the exit code 1.
note() {
  table="$table
| $1 | $2 | $3 |"
  printf '%-34s %-8s %s\n' "$1" "$2" "$3"
}
note_failure() { failed=$((failed + 1)); note "$1" FAILED "$2"; }
# limited COMMAND...: at most $limit seconds, where `timeout` exists.
limited() { if command -v timeout >/dev/null 2>&1; then timeout "$limit" "$@"; else "$@"; fi; }
reason() { case $1 in 124) echo "stopped after $limit s" ;; 127) echo "cannot be started" ;; *) echo "exit code $1" ;; esac; }
counts() {
  passed=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$1" | tail -n 1)
  broken=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test.*/\1/p' "$1" | tail -n 1)
  skipped=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test.*/\1/p' "$1" | tail -n 1)
  echo "${passed:-0} passed, ${broken:-0} failed, ${skipped:-0} skipped"
}

# tests PROGRAM TITLE FILTER
tests() {
  [ -x "$here/bin/$1" ] || { note "$2" skipped "no $1 in the bundle"; return; }
  limited "$here/bin/$1" --gtest_color=no --gtest_filter="$3" >"$log/$2.log" 2>&1
  code=$?
  found=$(counts "$log/$2.log")
  if [ $code -ne 0 ]; then note_failure "$2" "$found; $(reason $code); $name/$2.log"
  elif grep -q '^\[==========\] Running 0 tests\|^\[==========\] 0 tests' "$log/$2.log"; then note "$2" skipped "no such test"
  else note "$2" ok "$found"; fi
}

# sanitize TOOL PROGRAM FILTER
sanitize() {
  title=$1-$2
  [ -x "$here/bin/$2" ] || { note "$title" skipped "no $2 in the bundle"; return; }
  limited compute-sanitizer --tool "$1" --error-exitcode 86 "$here/bin/$2" --gtest_color=no --gtest_filter="$3" \
    >"$log/$title.log" 2>&1
  code=$?
  found=$(sed -n 's/^=* *ERROR SUMMARY: //p; s/^=* *RACECHECK SUMMARY: //p' "$log/$title.log" | tail -n 1)
  if [ $code -ne 0 ]; then note_failure "$title" "${found:-no summary}; $(reason $code); $name/$title.log"
  else note "$title" ok "$found; $(counts "$log/$title.log")"; fi
}

# bench PROGRAM FILTER
bench() {
  [ -x "$here/bin/$1" ] || { note "$1" skipped "no $1 in the bundle"; return; }
  [ "$quick" = yes ] && short=--benchmark_min_time=0.02 || short=--benchmark_repetitions=3
  limited "$here/bin/$1" --benchmark_filter="$2" "$short" --benchmark_color=false --benchmark_out="$log/$1.json" \
    --benchmark_out_format=json >"$log/$1.txt" 2>"$log/$1.log"
  code=$?
  if [ $code -ne 0 ] && grep -q 'Failed to match' "$log/$1.log"; then note "$1" skipped "no benchmark matches $2"
  elif [ $code -ne 0 ]; then note_failure "$1" "$(reason $code); $name/$1.log"
  elif grep -q 'ERROR OCCURRED' "$log/$1.txt"; then note_failure "$1" "a benchmark reports an error; $name/$1.txt"
  else note "$1" ok "$(grep -c '^[A-Za-z].*[0-9] [mun]*s ' "$log/$1.txt") lines"; fi
}

# train DEVICE: the whole program once, with joules measured where they can be.
train() {
  [ -x "$here/bin/eos" ] || { note train skipped "no eos in the bundle"; return; }
  [ "$quick" = yes ] && epochs=1 || epochs=20
  limited "$here/bin/eos" train "$here/examples/fashion_dense.toml" --device "$1" --energy auto --set train.epochs=$epochs \
    --progress none --verbose -o "$log/train.h5" >"$log/train.txt" 2>"$log/train.log"
  code=$?
  if [ $code -ne 0 ]; then note_failure train "$(reason $code); $name/train.log"
  else
    joules=$(sed -n 's/^ *energy measured, all seeds *//p' "$log/train.txt")
    note train ok "${joules:-no joules measured} in $epochs epoch(s)"
  fi
}

needed=$(fact glibc) present=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/glibc //')
[ -z "$needed" ] || [ -z "$present" ] || [ "$(printf '%s\n%s\n' "$needed" "$present" | sort -V | head -n 1)" = "$needed" ] ||
  echo "run.sh: this machine's C library $present is older than the $needed that the bundle was made with" >&2
if [ -x "$here/bin/eos" ]; then
  limited "$here/bin/eos" doctor >"$log/doctor.txt" 2>&1
  code=$?
  [ $code -eq 0 ] && note doctor ok "$name/doctor.txt" || note_failure doctor "$(reason $code); $name/doctor.txt"
fi

tests test_core cpu-core '*'
[ "$quick" = yes ] || tests test_kernels cpu-kernels '-*OnCuda*'
for room in kernels sim solvers; do
  if [ $gpu = yes ]; then tests "test_$room" "gpu-$room" "$gpu_tests"
  else note "gpu-$room" skipped "a bundle without CUDA"; fi
done

few='*OnCuda.select*:*OnCuda.softmax*:*OnCuda.gather*:*OnCuda.masked*'
[ "$quick" = yes ] && checked=$few || checked='*OnCuda*'
if [ $gpu = no ]; then note sanitizer skipped "a bundle without CUDA"
elif [ $sanitizer = no ]; then note sanitizer skipped "--no-sanitizer"
elif ! command -v compute-sanitizer >/dev/null 2>&1; then note sanitizer skipped "neither the bundle nor this machine has compute-sanitizer"
else
  sanitize memcheck test_kernels "$checked"
  sanitize racecheck test_kernels "$few"
  [ "$quick" = yes ] || sanitize memcheck test_sim '*OnCuda.dense*'
fi

filter=cuda
if [ $gpu = no ] || [ $cpu = yes ]; then filter='.*'; fi
if [ "$quick" = yes ] && [ $gpu = no ]; then filter='select|dense_epoch/batch:128'; fi
for room in kernels sim solvers; do bench bench_$room "$filter"; done
train "$([ $gpu = yes ] && echo cuda || echo cpu)"

{
  echo "# eos on $device"
  echo
  echo "| | |"
  echo "|---|---|"
  echo "| date | $(date -u +%Y-%m-%dT%H:%M:%SZ) |"
  echo "| device | $device |"
  echo "| driver | $(d=$(smi driver_version); echo "${d:-none}") |"
  echo "| clocks (SM, memory) | $(c=$(smi clocks.max.sm,clocks.max.memory); echo "${c:-unknown}") |"
  echo "| processor | ${cpu_name:-unknown}, $(nproc 2>/dev/null || echo '?') threads |"
  echo "| system | $(uname -sr), C library ${present:-unknown} |"
  for key in commit packed compiler build_type cpu_arch cuda toolkit architectures; do echo "| $key | $(fact $key) |"; done
  echo "| mode | $([ "$quick" = yes ] && echo quick || echo full) |"
  echo
  echo "## Parts: $failed failed"
  echo
  echo "| part | result | detail |"
  echo "|---|---|---|$table"
  for file in "$log"/bench_*.txt "$log/train.txt" "$log/doctor.txt"; do
    [ -s "$file" ] || continue
    echo
    echo "## $(basename "$file" .txt)"
    echo
    echo '```'
    cat "$file"
    echo '```'
  done
} >"$report"
echo
if [ $failed -eq 0 ]; then echo "No part failed. Report: $report"; else echo "$failed part(s) FAILED. Report: $report"; fi
[ $failed -eq 0 ]
