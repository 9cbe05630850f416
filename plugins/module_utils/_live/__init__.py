# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects on a real API server: connect, discover, list, compare, apply, prune, wait.

Requests and answers are plain dicts. The library kubernetes does configuration, login and transport, nothing else.

Private to the collection.
"""

from __future__ import annotations
