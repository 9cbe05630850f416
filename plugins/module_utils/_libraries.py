# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python libraries that the collection needs on the controller, missing only when somebody uses them.

So C(ansible-doc) works everywhere, and a task that needs a library says which one and how to get it.

Private to the collection.
"""

from __future__ import annotations

import importlib
import typing as t


class MissingLibraryError(ImportError):
    """A library is not installed."""


class _Missing:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> t.Any:
        raise MissingLibraryError(
            f"The Python library {self._name} is needed on the controller. "
            "Install what requirements.txt of the collection k8s.self_provisioning lists."
        )


def load(name: str) -> t.Any:
    """The module of that name, or a stand-in that explains itself on first use."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return _Missing(name)
