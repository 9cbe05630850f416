#!/usr/bin/env bash
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs make targets one after the other, each under a heading, all of them even when one fails; ends with a table.
# `--` begins a row that runs beside the others; what it prints comes after them: steps.sh lint unit -- integration
set -uo pipefail

work=$(mktemp -d)
beside=()
finish() {
    for each in "${beside[@]}"; do kill -INT -- "-$each" 2>/dev/null; done
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

run() { # TABLE TARGET...
    local table=$1 target began verdict took
    for target in "${@:2}"; do
        printf '\n=== %s\n' "$target"
        began=$SECONDS
        if make --no-print-directory "$target"; then verdict=passed; else verdict=FAILED; fi
        took=$((SECONDS - began))
        printf -- '--- %s %s in %d s\n' "$target" "$verdict" "$took"
        printf '%-20s %-7s %5d s\n' "$target" "$verdict" "$took" >>"$table"
    done
}

rows=("")
for target in "$@"; do
    if [ "$target" = -- ]; then rows+=(""); else rows[-1]+=" $target"; fi
done

for row in "${!rows[@]}"; do
    : >"$work/table.$row"
    if [ "$row" -gt 0 ]; then
        printf 'steps:%s: beside the others, shown after them\n' "${rows[row]}"
        set -m # a process group of its own, which `finish` can end whole
        # shellcheck disable=SC2086 # targets are words
        run "$work/table.$row" ${rows[row]} >"$work/log.$row" 2>&1 </dev/null &
        beside+=($!)
        set +m
    fi
done
# shellcheck disable=SC2086
run "$work/table.0" ${rows[0]}
for row in "${!beside[@]}"; do
    tail --lines=+1 --follow --pid="${beside[row]}" "$work/log.$((row + 1))"
    wait "${beside[row]}"
done
beside=()

cat "$work"/table.* >"$work/all"
verdict=passed
if grep -q FAILED "$work/all"; then verdict=FAILED; fi
printf '\n'
cat "$work/all"
printf '%-20s %-7s %5d s\n' all "$verdict" "$SECONDS"
[ "$verdict" = passed ]
