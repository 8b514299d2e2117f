#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Fragmentation over time: how many mappings live, in how many runs without a gap.

Prints a line of CSV each 1/50 of the trace; a spreadsheet or gnuplot draws it.

    python3 analysis/scripts/fragmentation.py TRACE > fragmentation.csv
"""
import sys

import bt2

LINES = 50
live = {}     # (process, ioas, iova) -> bytes


def runs():
    """Mappings that touch each other count as one."""
    count, end = 0, None
    for (pid, ioas, iova), size in sorted(live.items()):
        if (pid, ioas, iova) != end:
            count += 1
        end = (pid, ioas, iova + size)
    return count


changes = []  # (time, key, bytes mapped there, or 0: unmapped)
for message in bt2.TraceCollectionMessageIterator(sys.argv[1]):
    if type(message) is not bt2._EventMessageConst:
        continue
    event = message.event
    if event.name not in ("iommufd_backend:map_dma", "iommufd_backend:unmap_dma"):
        continue
    if event["ret"] != 0:
        continue
    time = message.default_clock_snapshot.ns_from_origin
    context = event.common_context_field
    key = (int(context["vpid"]) if context else 0, int(event["ioas"]), int(event["iova"]))
    changes.append((time, key, int(event["size"]) if event.name.endswith(":map_dma") else 0))

print("seconds,mappings,bytes,runs,bytes_per_run")
if changes:
    first, last = changes[0][0], changes[-1][0]
    shown = -1
    for time, key, size in changes:
        if size:
            live[key] = size
        else:
            live.pop(key, None)
        line = (time - first) * LINES // max(1, last - first)
        if line > shown:
            shown, count = line, runs()
            total = sum(live.values())
            print("%.6f,%d,%d,%d,%d" % ((time - first) / 1e9, len(live), total, count,
                                        total // max(1, count)))
