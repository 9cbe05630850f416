#!/usr/bin/env bash
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes a Git repository with one release of a folder.
set -euo pipefail
cd "$1"
git init -q -b main
git add -A
git -c user.name=t -c user.email=t@localhost commit -q -m "A release"
git tag "$2"
