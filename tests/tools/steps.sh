#!/usr/bin/env bash
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs make targets one after the other, each under a heading, all of them even when one fails; ends with a table.
set -uo pipefail

table=""
failed=0
total=$SECONDS
for target in "$@"; do
    printf '\n=== %s\n' "$target"
    began=$SECONDS
    if make --no-print-directory "$target"; then verdict=passed; else verdict=FAILED failed=1; fi
    took=$((SECONDS - began))
    printf -- '--- %s %s in %d s\n' "$target" "$verdict" "$took"
    table+=$(printf '%-18s %-7s %5d s' "$target" "$verdict" "$took")$'\n'
done
printf '\n%s%-18s %-7s %5d s\n' "$table" all "$([ $failed = 0 ] && echo passed || echo FAILED)" $((SECONDS - total))
exit $failed
