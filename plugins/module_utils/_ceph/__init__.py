# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Ceph cluster, through its own command line: looked at, and brought to what storage classes need.

Private to the collection. Knows no Ansible: the door hands in what runs a command.
"""
