# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brown-field import: from the objects of hand-made namespaces to tenant files.

Nothing is trusted to be right because it was written down: what the new inventory renders is read back by the same
code that read the cluster, and every difference is a finding.
"""
