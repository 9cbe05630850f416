# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL outside Kubernetes: its settings, its passwords, who may connect, and what is wrong with its hosts.

Private to the collection. Pure, but for C(certificates), C(patroni) and C(sql), which work on a host.
"""

from __future__ import annotations
