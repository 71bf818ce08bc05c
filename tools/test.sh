#!/bin/bash
# Runs the test tiers one after another. Each says what it skipped and why; the last line sums all.
# Usage: tools/test.sh [all|1|model|2|3|5|fuzz]
#   1     unit tests, scenarios, layering, under AddressSanitizer and UndefinedBehaviorSanitizer
#   model the model of the lease, searched to its end by SPIN
#   2     a real agent on real MariaDB servers of this machine; PRESET or PRIMACY_BINARY names it
#   3     the core of tier 2 on MariaDB 11.8 and MySQL 9.7 (root, debootstrap, a Debian mirror)
#   5     alerts, runbooks and dashboards: promtool, amtool, a real Prometheus on a real agent
#   fuzz  libFuzzer targets, FUZZ_SECONDS each (60); part of `all` when that is set or CI=true
# Exit: 0 nothing failed, 1 something did, 2 usage.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

readonly results=build/test/results
readonly jobs="$(nproc)"
readonly preset="${PRESET:-release}"
export PRIMACY_BINARY="${PRIMACY_BINARY:-$PWD/build/$preset/agent/primacy}"
# Programs that are tested, or that drive one part of us alone.
export PRIMACY_FENCE_HOST="${PRIMACY_FENCE_HOST:-$PWD/build/$preset/agent/fence_host/primacy-fence-host}"
for tool in fence_tool lease_tool agent_with_checkpoints proxy_fence_tool sql_fence_tool; do
    variable="PRIMACY_${tool^^}"
    export "$variable=${!variable:-$PWD/build/$preset/tests/tools/$tool}"
done
export PATH="$PWD/build/tools/bin:$PATH"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

heading() { printf '\n=== %s\n' "$*"; }

# What is no test case of its own goes into the sum through these: NAME REASON.
note() { printf '%s\n' "$3" >"$results/$2.$1"; }
passed() { note passed "$1" "${2:-}"; }
failed() {
    note failed "$1" "$2"
    echo "!!! FAILED: $1: $2"
}
skipped() {
    note skipped "$1" "$2"
    echo "!!! SKIPPED: $1 was not tested here, because $2"
}

tier1() {
    heading "tier 1: unit tests and scenarios under ASan and UBSan"
    local werror=OFF
    [ "${CI:-}" != true ] || werror=ON
    if ! PRIMACY_CMAKE_OPTIONS="-DPRIMACY_WERROR=$werror" tools/build.sh dev; then
        failed tier1-build "the build of preset dev failed"
        return
    fi
    ctest --test-dir build/dev --label-regex unit --parallel "$jobs" --output-on-failure \
        --test-output-size-passed 1048576 --test-output-size-failed 1048576 \
        --output-junit "$PWD/$results/tier1.xml" --no-tests=error ||
        [ -s "$results/tier1.xml" ] || failed tier1 "ctest could not run"
}

model() {
    heading "the model of the lease, searched to its end by SPIN"
    local code=0
    mkdir -p build/test/model
    tests/model/run.sh "$PWD/build/test/model" || code=$?
    case "$code" in
        0) passed model ;;
        77) skipped model "SPIN or a C compiler is not installed" ;;
        *) failed model "tests/model/run.sh ended with exit code $code" ;;
    esac
}

run_pytest() { # NAME ARGUMENT...
    local name="$1" code=0
    shift
    if [ ! -x "$PRIMACY_BINARY" ]; then
        failed "$name" "there is no program at $PRIMACY_BINARY; \`make build\` makes one"
        return
    fi
    if ! tools/build.sh "$preset" test_tools >build/test/tools.log 2>&1; then
        tail -n 40 build/test/tools.log
        failed "$name-tools" "the build of the test tools failed"
        return
    fi
    /usr/bin/python3 -m pytest tests/integration -q --junitxml="$results/$name.xml" "$@" || code=$?
    # 1 is failed tests, which the file tells; 5 is none at all; the others never got so far.
    [ "$code" -le 1 ] || failed "$name" "pytest ended with exit code $code"
}

tier2() {
    heading "tier 2: a real agent on real MariaDB servers"
    run_pytest tier2
}

tier3() {
    heading "tier 3: the core suite on MariaDB 11.8 and MySQL 9.7"
    local code=0 said
    tests/tools/make_roots.sh 2> >(tee "$results/make_roots.log" >&2) || code=$?
    if [ "$code" -eq 77 ]; then
        said="$(tail -n 1 "$results/make_roots.log" | sed 's/^make_roots.sh: cannot run here: //')"
        skipped tier3 "$said"
    elif [ "$code" -ne 0 ]; then
        skipped tier3 "the other server versions could not be fetched (see build/roots/*.log)"
    else
        run_pytest tier3 -m core --kinds mariadb-11.8,mysql-9.7
    fi
}

tier5() {
    heading "tier 5: alerts, runbooks, examples and dashboards"
    local code=0
    /usr/bin/python3 -m pytest tests/alerts -q --junitxml="$results/tier5.xml" || code=$?
    [ "$code" -le 1 ] || failed tier5 "pytest ended with exit code $code"
}

fuzz_one() { # TARGET
    local corpus="build/fuzz/corpus/$1" log="build/test/$1.log"
    mkdir -p "$corpus" "build/test/$1"
    if "build/fuzz/tests/fuzz/$1" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="build/test/$1/" "$corpus" >"$log" 2>&1; then
        passed "fuzz-$1"
        echo "$1: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, none broke it"
    else
        tail -n 40 "$log"
        failed "fuzz-$1" "see $log; the input lies in build/test/$1/"
    fi
}

fuzz() {
    export FUZZ_SECONDS="${FUZZ_SECONDS:-60}" results
    heading "fuzzing: $FUZZ_SECONDS s for each target"
    if ! command -v clang++-14 >/dev/null; then
        skipped fuzz "clang++-14 is not installed"
        return
    fi
    local targets
    targets="$(sed -n 's/^primacy_fuzz(\([a-z_]*\).*/\1/p' tests/fuzz/CMakeLists.txt)"
    # shellcheck disable=SC2086  # one word for each target
    if ! tools/build.sh fuzz $targets; then
        failed fuzz-build "the build of preset fuzz failed"
        return
    fi
    export -f fuzz_one note passed failed
    xargs -P "$jobs" -I TARGET bash -c 'fuzz_one TARGET' <<<"$targets"
}

rm -rf "$results"
mkdir -p "$results"
case "${1:-all}" in
    1) tier1 ;;
    model) model ;;
    2) tier2 ;;
    3) tier3 ;;
    5) tier5 ;;
    fuzz) fuzz ;;
    all)
        tier1
        model
        tier2
        tier3
        tier5
        if [ "${CI:-}" = true ] || [ -n "${FUZZ_SECONDS:-}" ]; then
            fuzz
        else
            heading "fuzzing: only when CI=true or FUZZ_SECONDS is set; \`make test TIER=fuzz\`"
        fi
        heading "tier 4 (whole hosts): there is none yet"
        ;;
    *)
        echo "usage: tools/test.sh [all|1|model|2|3|5|fuzz]" >&2
        exit 2
        ;;
esac
heading "summary"
exec /usr/bin/python3 tools/sum_results.py "$results"
