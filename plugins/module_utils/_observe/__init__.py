# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at the tenants of a live cluster: what they use, what differs from the inventory and who did it, what is left.

Only reads, with one LIST for each kind.

Private to the collection.
"""
