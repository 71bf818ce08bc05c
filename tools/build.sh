#!/bin/bash
# Configures a preset and builds targets of it, with ccache when it is there.
# Usage: tools/build.sh PRESET [TARGET ...]     (no target: all)
#        PRIMACY_CMAKE_OPTIONS adds options to the configuration.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset="$1"
shift
options=()
if command -v ccache >/dev/null; then
    # Another checkout of the same sources finds what this one compiled.
    export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
    options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi
read -r -a more <<<"${PRIMACY_CMAKE_OPTIONS:-}"

mkdir -p build
configure_log="build/configure-$preset.log"
if ! cmake --preset "$preset" "${options[@]}" "${more[@]}" >"$configure_log" 2>&1; then
    cat "$configure_log" >&2
    echo "build.sh: cmake cannot configure here; \`make deps\` installs what is missing" >&2
    exit 1
fi
targets=()
[ "$#" -eq 0 ] || targets=(--target "$@")
cmake --build --preset "$preset" "${targets[@]}"
