#!/bin/bash
# Installs what building and testing need, from Debian's packages, when it is missing. Starts no
# service: what would bring one along is unpacked under build/tools instead of being installed.
# With nothing missing it changes nothing, asks nobody and needs no network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly build_packages="g++ cmake ninja-build make pkg-config ccache
    libboost1.81-dev libmariadb-dev libtomlplusplus-dev libcli11-dev
    libspdlog-dev libfmt-dev libssl-dev libsystemd-dev libcrypt-dev doctest-dev"
# mariadb-server-core has the server without a service.
readonly test_packages="mariadb-server-core mariadb-client-core
    python3 python3-pytest python3-pymysql python3-cryptography python3-yaml openssl
    clang-14 libclang-rt-14-dev debootstrap iproute2 nftables spin
    openssh-client libwrap0 libopenipmi0 libfreeipmi17 libpopt0 liblua5.3-0
    libopentracing-c-wrapper0 python3-pycurl python3-pexpect
    libdbi-perl libdbd-mysql-perl libterm-readkey-perl"
readonly lint_packages="clang-format-14 clang-tidy-19"
# Package and the program to take out of it.
readonly unpacked="prometheus:usr/bin/promtool openssh-server:usr/sbin/sshd
    openipmi:usr/bin/ipmi_sim ipmitool:usr/bin/ipmitool fence-agents:usr/sbin/fence_ipmilan
    haproxy:usr/sbin/haproxy percona-toolkit:usr/bin/pt-online-schema-change
    mariadb-client:usr/bin/mariadb-binlog
    prometheus-alertmanager:usr/bin/amtool"

# The names among those given that are not installed, one a line.
not_installed() {
    comm -13 \
        <(dpkg-query --show --showformat='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
            sed -n 's/ installed$//p' | sort -u) \
        <(printf '%s\n' "$@" | sort -u)
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "deps.sh: run as root, or install sudo: $*" >&2
        return 1
    fi
}

install_missing() {
    local missing
    # shellcheck disable=SC2086  # lists of words
    mapfile -t missing < <(not_installed $build_packages $test_packages $lint_packages)
    [ "${#missing[@]}" -gt 0 ] || return 0
    echo "deps.sh: installing ${missing[*]}"
    as_root apt-get update --quiet
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --quiet --no-install-recommends "${missing[@]}"
}

# A tool that cannot be had is not fatal: the tests that want it say that they were skipped.
unpack_tools() {
    local entry package program folder
    for entry in $unpacked; do
        package="${entry%%:*}"
        program="${entry##*:}"
        [ -x "build/tools/bin/${program##*/}" ] && continue
        folder="build/tools/$package"
        rm -rf "$folder.new"
        mkdir -p "$folder.new" build/tools/bin
        echo "deps.sh: unpacking ${program##*/} from $package under build/tools"
        if (cd "$folder.new" && apt-get download --quiet "$package" >download.log 2>&1 &&
            dpkg-deb -x ./*.deb . && rm -f ./*.deb) && [ -x "$folder.new/$program" ]; then
            rm -rf "$folder"
            mv "$folder.new" "$folder"
            ln -sfn "../$package/$program" "build/tools/bin/${program##*/}"
        else
            rm -rf "$folder.new"
            echo "deps.sh: $package cannot be had now; what needs ${program##*/} is skipped" >&2
        fi
    done
}

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "deps.sh: this is not Debian; install the like of: $build_packages $test_packages" >&2
    exit 1
fi
install_missing
unpack_tools
tools/gh_ost.sh
