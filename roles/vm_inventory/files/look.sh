# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2154
# Prints everything that a hypervisor knows of its machines. Runs as root with a POSIX shell and nothing else, because
# old hypervisors have no Python that Ansible could use. Only reads.

LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL PATH
exec < /dev/null # nobody is there to answer questions

patiently() {
    if command -v timeout > /dev/null; then timeout 60 "$@"; else "$@"; fi
}

ask() {
    patiently virsh -q -r -c "$libvirt_uri" "$@"
}

# Runs a program; its errors, and that it failed, go into lines of their own.
look() {
    { { "$@" || printf '\n@@ failed\n' >&3; } 2>&1 >&3 | sed 's/^/@@ error /'; } 3>&1
    echo
}

files() {
    ask domblklist "$1" --details | sed -n 's/^ *[a-z]* *disk *[^ ]* *\(\/.*\)$/\1/p' | while read -r path; do
        [ ! -f "$path" ] || stat -c '%W %Y' "$path"
    done
    [ ! -f "/etc/libvirt/qemu/$2.xml" ] || stat -c '%W %Y' "/etc/libvirt/qemu/$2.xml"
}

# An old virsh shows one disk at a time.
blocks() {
    ask domblkinfo "$1" --all 2> /dev/null && return
    ask domblklist "$1" --details | awk '$2 == "disk" { print $3 }' | while read -r disk; do
        echo "disk $disk"
        ask domblkinfo "$1" "$disk"
    done
}

if command -v virsh > /dev/null; then
    echo '@@ libvirt'
    look ask list --all --uuid
    for id in $(ask list --all --uuid 2> /dev/null); do
        echo "@@ state $id"
        look ask domstate "$id"
        echo "@@ xml $id"
        look ask dumpxml "$id"
        echo "@@ blocks $id"
        look blocks "$id"
        echo "@@ files $id"
        files "$id" "$(ask domname "$id" 2> /dev/null)" 2> /dev/null
    done
fi

if command -v vzlist > /dev/null; then
    echo '@@ vzlist'
    look patiently vzlist -a -j
    echo '@@ vzfiles'
    for path in /etc/vz/conf/*.conf /vz/private/*; do
        [ ! -e "$path" ] || stat -c '%W %Y %n' "$path" 2> /dev/null
    done
fi

echo '@@ end'
