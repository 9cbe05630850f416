# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual address of a cluster's API: planned from the inventory, looked for on hosts, judged on the controller.

Private to the collection.
"""

from __future__ import annotations
