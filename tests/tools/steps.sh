#!/usr/bin/env bash
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs make targets one after the other, each under a heading, all of them even when one fails; ends with a table.
# Those after `--` run beside the others, and what they print comes after them: steps.sh lint unit -- integration
set -uo pipefail

work=$(mktemp -d)
beside=
finish() {
    if [ -n "$beside" ]; then kill -INT -- "-$beside" 2>/dev/null; fi
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
        printf '%-18s %-7s %5d s\n' "$target" "$verdict" "$took" >>"$table"
    done
}

first=() second=() to=first
for target in "$@"; do
    if [ "$target" = -- ]; then to=second; else declare -n list=$to; list+=("$target"); fi
done

touch "$work/first" "$work/second"
if [ ${#second[@]} -gt 0 ]; then
    printf 'steps: %s: beside the others, shown after them\n' "${second[*]}"
    set -m # a process group of its own, which `finish` can end whole
    run "$work/second" "${second[@]}" >"$work/log" 2>&1 </dev/null &
    beside=$!
    set +m
fi
run "$work/first" "${first[@]}"
if [ -n "$beside" ]; then
    tail --lines=+1 --follow --pid="$beside" "$work/log"
    wait "$beside"
    beside=
fi

verdict=passed
if grep -q FAILED "$work/first" "$work/second"; then verdict=FAILED; fi
printf '\n'
cat "$work/first" "$work/second"
printf '%-18s %-7s %5d s\n' all "$verdict" "$SECONDS"
[ "$verdict" = passed ]
