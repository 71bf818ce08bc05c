#!/bin/bash
# Checks the model of the lease: as it is no two agents ever act, and each of its two waits is
# needed, because without it two do. Under two minutes. Exit: 0 so it is, 1 not so, 77 no SPIN.
# Usage: tests/model/run.sh [FOLDER]     works in FOLDER, or in a temporary one
set -uo pipefail
model="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lease.pml"

for tool in spin gcc; do
    if ! command -v "$tool" >/dev/null; then
        echo "!!! SKIPPED: the model of the lease was not checked here, because $tool is missing"
        exit 77
    fi
done
if [ "$#" -gt 0 ]; then
    folder="$1"
    mkdir -p "$folder"
else
    folder="$(mktemp -d)"
    trap 'rm -rf "$folder"' EXIT
fi

# check NAME WANTED DEFINITION...: WANTED is `holds` or `fails`.
check() {
    local name="$1" wanted="$2" seen errors where="$folder/$1"
    shift 2
    rm -rf "$where"
    mkdir -p "$where"
    if ! (cd "$where" && spin -a "$@" "$model" >spin.log 2>&1 &&
        gcc -O2 -w -DSAFETY -DNOREDUCE -DNOBOUNDCHECK -DMEMLIM=3000 -o pan pan.c 2>gcc.log); then
        cat "$where"/*.log
        echo "model: $name: cannot be built"
        return 1
    fi
    (cd "$where" && ./pan -m4000000 -w24 >pan.log 2>&1)
    errors="$(sed -n 's/.*errors: \([0-9]*\)$/\1/p' "$where/pan.log")"
    case "$errors" in
        '') seen="no end" ;;
        0) seen=holds ;;
        *) seen=fails ;;
    esac
    # A search that was cut short proves nothing.
    if [ "$seen" = holds ] && grep -q -e 'depth too small' -e 'not completed' "$where/pan.log"; then
        seen="no end"
    fi
    [ "$seen" != "no end" ] || tail -n 20 "$where/pan.log"
    echo "model: $name: $seen after $(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' \
        "$where/pan.log") states, expected: $wanted"
    [ "$seen" = "$wanted" ]
}

bad=0
check as-it-is holds || bad=1
check no-margin fails -DMARGIN=0 || bad=1
check margin-without-drift fails -DMARGIN=1 || bad=1
check no-settling fails -DSETTLE=0 || bad=1
exit "$bad"
