# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading an inventory folder as data, and finding the line of a value in it. No Ansible: nothing is templated or run.

Private to the collection: anything below a package whose name starts with an underscore may change at any time.
"""
