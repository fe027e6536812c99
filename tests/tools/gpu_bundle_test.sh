#!/bin/sh
# The arguments of tools/gpu_bundle, packing a build folder of stand-ins, and a run.sh that goes on after failures.
set -u
source=$1 work=$(mktemp -d) status=0
trap 'rm -rf "$work"' EXIT
complain() { echo "gpu_bundle_test: $1" >&2; status=1; }
expect() {  # CODE TEXT COMMAND...: exit code and a piece of what is said
  want=$1 text=$2; shift 2
  said=$("$@" 2>&1); code=$?
  [ $code -eq "$want" ] || complain "'$*' ends with $code instead of $want: $said"
  case $said in *"$text"*) ;; *) complain "'$*' does not say '$text': $said" ;; esac
}
bundle=$source/tools/gpu_bundle

expect 0 "--without-cublas" "$bundle" --help
expect 2 "unknown option '--hots'" "$bundle" --hots
expect 2 "--output needs a value" "$bundle" --output
expect 2 "--jobs x is no number" "$bundle" --jobs x
expect 2 "is no folder" "$bundle" --build "$work/nowhere"
expect 2 "exists" "$bundle" --host --output "$work"
expect 0 "CUDA OFF, 3 jobs" "$bundle" --host --jobs 3 --dry-run --output "$work/b"

# A build folder whose programs are scripts that behave as told.
mkdir -p "$work/build/cli" "$work/build/tests" "$work/build/bench" "$work/data/set"
echo "CMAKE_BUILD_TYPE:STRING=Release" >"$work/build/CMakeCache.txt"
echo bytes >"$work/data/set/images"
cat >"$work/build/tests/test_core" <<'END'
#!/bin/sh
echo "[  PASSED  ] 7 tests."
echo "[  SKIPPED ] 2 tests, listed below:"
END
cat >"$work/build/tests/test_kernels" <<'END'
#!/bin/sh
echo "[  PASSED  ] 5 tests."
echo "[  FAILED  ] 1 test, listed below:"
exit 1
END
printf '#!/bin/sh\necho healthy\n' >"$work/build/cli/eos"
printf '#!/bin/sh\necho "select/8   12.5 ns   12.4 ns   100"\n' >"$work/build/bench/bench_kernels"
chmod +x "$work"/build/*/*
expect 2 "not a build with CUDA" "$bundle" --build "$work/build" --output "$work/b" --cuda /nonexistent
expect 0 "not in the build: test_sim" "$bundle" --host --build "$work/build" --data "$work/data" --output "$work/b"
[ -f "$work/b.tar.gz" ] || complain "there is no b.tar.gz"
mkdir "$work/there" && tar -C "$work/there" -xzf "$work/b.tar.gz"
[ -f "$work/there/b/data/set/images" ] || complain "the data set was not packed"
grep -q '^build_type=Release$' "$work/there/b/BUNDLE" || complain "BUNDLE does not tell the build type"

run="env -i $work/there/b/run.sh"
expect 0 "--no-sanitizer" $run --help
expect 2 "unknown option '--fast'" $run --fast
expect 1 "cpu-kernels                        FAILED   5 passed, 1 failed, 0 skipped" $run --output "$work/r"
expect 0 "cpu-core                           ok       7 passed, 0 failed, 2 skipped" $run --quick --output "$work/r2"
for line in '| gpu-kernels | skipped | a bundle without CUDA |' '| bench_kernels | ok | 1 lines |' \
  '| sanitizer | skipped | a bundle without CUDA |' '## Parts: 1 failed' '| commit | '; do
  grep -qF "$line" "$work"/r/*.md || complain "the report lacks: $line"
done

# A bundle with CUDA asks its tests to fail without a device.
cp -R "$work/there/b" "$work/gpu" && sed -i 's/^cuda=OFF/cuda=ON/' "$work/gpu/BUNDLE"
printf '#!/bin/sh\n[ "${EOS_REQUIRE_GPU:-}" = 1 ] && echo "[  FAILED  ] 3 tests" && exit 1\n' >"$work/gpu/bin/test_sim"
chmod +x "$work/gpu/bin/test_sim"
expect 1 "gpu-sim                            FAILED   0 passed, 3 failed" "$work/gpu/run.sh" --quick --no-sanitizer --output "$work/r3"
exit $status
