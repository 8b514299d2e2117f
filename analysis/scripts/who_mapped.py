#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who mapped what: for each process how often and how much, and what it left mapped.

    python3 analysis/scripts/who_mapped.py TRACE
"""
import sys
from collections import defaultdict

import bt2

maps = defaultdict(int)      # process -> mappings made
mapped = defaultdict(int)    # process -> bytes mapped, all in all
live = defaultdict(dict)     # process -> {(ioas, iova): bytes}
names = {}                   # pid -> the process's name

for message in bt2.TraceCollectionMessageIterator(sys.argv[1]):
    if type(message) is not bt2._EventMessageConst:
        continue
    event = message.event
    if event.name == "lttng_ust_statedump:procname":  # told once a process
        names[int(event.common_context_field["vpid"])] = str(event["procname"])
    # Only the event after the call, and only if the call succeeded.
    if event.name not in ("iommufd_backend:map_dma", "iommufd_backend:map_file_dma",
                          "iommufd_backend:unmap_dma") or event["ret"] != 0:
        continue
    context = event.common_context_field
    pid = int(context["vpid"]) if context else 0
    if context and "procname" in context:  # or with every event
        names[pid] = str(context["procname"])
    who = "%s %d" % (names.get(pid, "process"), pid)
    ioas, iova, size = int(event["ioas"]), int(event["iova"]), int(event["size"])
    if event.name == "iommufd_backend:unmap_dma":
        # An unmap takes all mappings that lie in its range.
        for key in [k for k in live[who] if k[0] == ioas and iova <= k[1] < iova + size]:
            del live[who][key]
    else:
        maps[who] += 1
        mapped[who] += size
        live[who][ioas, iova] = size

print("%-24s %10s %16s %10s %16s" % ("process", "maps", "bytes", "left", "bytes left"))
for who in sorted(maps, key=mapped.get, reverse=True):
    print("%-24s %10d %16d %10d %16d" % (who, maps[who], mapped[who], len(live[who]),
                                         sum(live[who].values())))
