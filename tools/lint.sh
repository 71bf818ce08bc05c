#!/bin/bash
# Everything that can be said about the sources without running them; whatever is found is an error.
# clang-tidy reads what ships (agent/, checks/); LINT_FILES="a.cpp b.cpp" narrows it to those.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

readonly jobs="$(nproc)"
bad=0
step() { # NAME COMMAND...
    local name="$1"
    shift
    if "$@"; then
        echo "lint: $name: fine"
    else
        echo "lint: $name: FAILED"
        bad=1
    fi
}

formatting() { tools/sources.sh cpp | xargs -0 clang-format-14 --dry-run -Werror; }

python_syntax() {
    # Compiled outside the tree, so that no __pycache__ appears.
    tools/sources.sh python | PYTHONPYCACHEPREFIX="$PWD/build/lint/pycache" \
        xargs -0 /usr/bin/python3 -m py_compile
}

shell_syntax() { tools/sources.sh shell | xargs -0 -n 1 bash -n; }

tidy() {
    mkdir -p build
    # The compile commands are all that is needed, one for each source; nothing is built.
    cmake --preset release -B build/lint -DPRIMACY_TESTS=OFF -DPRIMACY_TOGETHER=OFF \
        >build/configure-lint.log 2>&1 || {
        cat build/configure-lint.log
        return 1
    }
    if [ -n "${LINT_FILES:-}" ]; then
        tr ' ' '\n' <<<"$LINT_FILES"
    else
        sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' build/lint/compile_commands.json
    fi | xargs -P "$jobs" -n 1 clang-tidy-19 --quiet -p build/lint --extra-arg=-w \
        2> >(grep -v -e 'warnings generated' -e 'Suppressed .* warnings' >&2)
}

mkdir -p build/lint
step "formatting (make format mends it)" formatting
step "Python" python_syntax
step "shell" shell_syntax
step "layering" /usr/bin/python3 tests/layering/layering.py
step "clang-tidy" tidy
exit "$bad"
