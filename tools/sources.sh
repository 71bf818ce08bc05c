#!/bin/bash
# The project's own files of one kind, NUL-separated, relative to the repository.
# Usage: tools/sources.sh cpp|python|shell
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The fixtures of the layering test are wrong on purpose.
find_files() {
    find . \( -path ./build -o -path ./.git -o -path ./tests/layering/fixtures \) -prune -o \
        -type f \( "$@" \) -print0 | sort -z
}

case "${1:-}" in
    cpp) find_files -name '*.cpp' -o -name '*.hpp' ;;
    python) find_files -name '*.py' ;;
    shell) find_files -name '*.sh' -o -path ./.ci/run ;;
    *)
        echo "usage: tools/sources.sh cpp|python|shell" >&2
        exit 2
        ;;
esac
