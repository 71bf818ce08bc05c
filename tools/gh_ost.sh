#!/bin/bash
# Builds the gh-ost that the tests of schema changes run, where a Go toolchain is found: its version
# and every checksum are pinned in tools/gh-ost. Without one, or when the client cannot have the
# sources, it says loudly what is skipped and is no failure.
# Usage: tools/gh_ost.sh        makes build/tools/bin/gh-ost-VERSION
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version="$(sed -n 's|^require github.com/github/gh-ost v||p' tools/gh-ost/go.mod)"
readonly version program="$PWD/build/tools/bin/gh-ost-$version"
readonly folder=build/tools/gh-ost log=build/tools/gh-ost.log
readonly source=github.com/github/gh-ost/go/cmd/gh-ost

skipped() {
    echo "!!! SKIPPED: gh-ost $version was not built, because $1; tests that want it say so" >&2
    exit 0
}

[ ! -x "$program" ] || exit 0
command -v go >/dev/null || skipped "there is no Go toolchain"
echo "gh_ost.sh: building gh-ost $version under build/tools"
rm -rf "$folder"
mkdir -p "$folder" "${program%/*}"
# The module is a scratch one: gh-ost is what it requires, not what it is.
cp tools/gh-ost/go.mod tools/gh-ost/go.sum "$folder/"
if ! (cd "$folder" && GOFLAGS=-mod=readonly go build -ldflags "-X main.AppVersion=$version" \
    -o "$program.new" "$source") >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    skipped "the Go client could not build it (see $log)"
fi
mv "$program.new" "$program"
