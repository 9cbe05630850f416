# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of PostgreSQL that follow from the size of its hosts."""

from __future__ import annotations

#: Memory is counted in eighths of the largest power of two in it, so that a few MiB more or less change nothing.
_STEPS = 8
#: A share of memory that PostgreSQL's own cache has; the rest is better used by the kernel's.
_SHARED, _SHARED_MOST = 4, 16384
_MAINTENANCE, _MAINTENANCE_MOST = 16, 2048
_WORK_LEAST, _WORK_MOST = 4, 256
_LEAST_MIB = 256


def parameters(memory_mib: int, cores: int, max_connections: int) -> dict[str, str | int]:
    """Settings for hosts with so much memory and so many cores.

    @raises ValueError: no database fits.
    """
    if memory_mib < _LEAST_MIB or cores < 1 or max_connections < 1:
        raise ValueError(
            f"memory_mib {memory_mib}, cores {cores} and max_connections {max_connections} do not make a database: at "
            f"least {_LEAST_MIB}, 1 and 1 are needed."
        )
    memory = rounded(memory_mib)
    shared = min(memory // _SHARED, _SHARED_MOST)
    # A query can sort several times at once, but not all connections do.
    work = (memory - shared) // (4 * max_connections)
    return {
        "max_connections": max_connections,
        "shared_buffers": f"{shared}MB",
        "effective_cache_size": f"{memory * 3 // 4}MB",
        "maintenance_work_mem": f"{max(min(memory // _MAINTENANCE, _MAINTENANCE_MOST), 64)}MB",
        "work_mem": f"{max(min(work, _WORK_MOST), _WORK_LEAST)}MB",
        "max_worker_processes": max(8, cores),
        "max_parallel_workers": cores,
        "max_parallel_workers_per_gather": min(max(cores // 2, 1), 4),
        "max_parallel_maintenance_workers": min(max(cores // 2, 1), 4),
    }


def rounded(memory_mib: int) -> int:
    """Memory, rounded down to a step of its size."""
    step = max(1, (1 << memory_mib.bit_length() - 1) // _STEPS)
    return memory_mib // step * step
