#!/bin/bash
# Makes the folders that hold other server versions for the third test tier:
#   build/roots/trixie-mariadb   MariaDB 11.8 (Debian 13)
#   build/roots/sid-mysql        MySQL 9.7 (Debian unstable)
# Each is a debootstrap folder to chroot into. A folder that is there is left alone; a new one is
# built beside its place and renamed when it is complete, so that a broken run leaves nothing behind.
#
# Usage: make_roots.sh [trixie-mariadb|sid-mysql ...]      (no argument: both)
# Exit:  0 all asked-for folders are there, 1 one could not be built, 2 usage,
#        77 impossible on this machine (not root, no debootstrap, no Debian mirror); the reason is on
#        standard error.
set -euo pipefail

readonly repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
readonly roots="${PRIMACY_ROOTS:-$repository/build/roots}"

cannot() {
    echo "make_roots.sh: cannot run here: $1" >&2
    exit 77
}

# The mirror this machine's own apt uses for its own release: the first URI whose suite is our
# codename and whose components contain main. Understands both of apt's formats.
debian_mirror() {
    local codename
    codename="$(. /etc/os-release && echo "${VERSION_CODENAME:-}")"
    [ -n "$codename" ] || return 1
    {
        cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
            sed -e 's/#.*//' -e 's/\[[^]]*\]//' |
            awk -v suite="$codename" '$1 == "deb" && $3 == suite && / main( |$)/ { print $2 }'
        cat /etc/apt/sources.list.d/*.sources 2>/dev/null |
            awk -v suite="$codename" '
                function flush() {
                    if (uri != "" && enabled && (" " suites " ") ~ (" " suite " ") &&
                        (" " components " ") ~ / main /) print uri
                    uri = ""; suites = ""; components = ""; enabled = 1
                }
                BEGIN { enabled = 1 }
                /^#/ { next }
                /^[ \t]*$/ || /^Types:/ { flush() }
                /^URIs:/ { uri = $2 }
                /^Suites:/ { $1 = ""; suites = $0 " " }
                /^Components:/ { $1 = ""; components = $0 " " }
                /^Enabled: *no/ { enabled = 0 }
                END { flush() }'
    } | grep -E '^(https?|file|ftp):' | head -n 1
}

make_root() { # NAME SUITE PACKAGE PROBE
    local name="$1" suite="$2" package="$3" probe="$4"
    local root="$roots/$name"
    if [ -x "$root$probe" ]; then
        echo "make_roots.sh: $name is there"
        return 0
    fi
    local building
    building="$(mktemp -d "$roots/.building-$name.XXXXXX")"
    # mktemp's 0700 would become the mode of / inside, where servers drop their privileges.
    chmod 0755 "$building"
    echo "make_roots.sh: building $name (about a minute) from $mirror"
    if debootstrap --variant=minbase --include="$package" "$suite" "$building/root" "$mirror" \
        >"$roots/$name.log" 2>&1 && [ -x "$building/root$probe" ]; then
        rm -rf "$building/root/var/cache/apt/archives" "$building/root/var/lib/apt/lists"
        rm -rf "$root"
        mv "$building/root" "$root"
        rmdir "$building"
        echo "make_roots.sh: $name is ready ($(chroot "$root" "$probe" --version 2>/dev/null |
            head -n 1))"
        return 0
    fi
    tail -n 15 "$roots/$name.log" >&2
    # Keep debootstrap's own account of what went wrong; the folder itself is of no use.
    rm -rf "$building"
    echo "make_roots.sh: building $name failed, see $roots/$name.log" >&2
    return 1
}

wanted=("$@")
[ "${#wanted[@]}" -gt 0 ] || wanted=(trixie-mariadb sid-mysql)
mkdir -p "$roots"

complete=yes
for name in "${wanted[@]}"; do
    case "$name" in
        trixie-mariadb) [ -x "$roots/$name/usr/sbin/mariadbd" ] || complete=no ;;
        sid-mysql) [ -x "$roots/$name/usr/sbin/mysqld" ] || complete=no ;;
        *)
            echo "usage: make_roots.sh [trixie-mariadb|sid-mysql ...]" >&2
            exit 2
            ;;
    esac
done
if [ "$complete" = yes ]; then
    echo "make_roots.sh: all folders are there"
    exit 0
fi

[ "$(id -u)" = 0 ] || cannot "chroot and debootstrap need root"
command -v debootstrap >/dev/null || cannot "debootstrap is not installed"
mirror="$(debian_mirror || true)"
[ -n "$mirror" ] || cannot "no Debian mirror with a main component in /etc/apt"

exec 9>"$roots/.lock"
flock -w 1200 9 || cannot "another run has held $roots/.lock for 20 minutes"
failed=no
for name in "${wanted[@]}"; do
    case "$name" in
        trixie-mariadb) make_root "$name" trixie mariadb-server-core,mariadb-client /usr/sbin/mariadbd || failed=yes ;;
        sid-mysql) make_root "$name" sid mysql-server /usr/sbin/mysqld || failed=yes ;;
    esac
done
[ "$failed" = no ]
