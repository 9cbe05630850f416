# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Old virtual machines: what hypervisors and tables say of them, put together, and what is to become of each.

Pure: text in, machines and problems out. Private to the collection.
"""

from __future__ import annotations
