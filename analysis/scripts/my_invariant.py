#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An invariant of your own: change `broken` and run it.

The one here: what is mapped begins and ends at a page. Exit status 0: it holds; 1: broken;
2: events were lost, so that it cannot be said to hold.

    python3 analysis/scripts/my_invariant.py TRACE
"""
import sys

import bt2

PAGE = 4096


def broken(name, event):
    """Why the event breaks the invariant; None: it does not."""
    if name != "iommufd_backend:map_dma" or event["ret"] != 0:
        return None
    if event["iova"] % PAGE or event["size"] % PAGE:
        return "%d bytes at 0x%x are not whole pages" % (event["size"], event["iova"])
    return None


checked = found = lost = 0
for message in bt2.TraceCollectionMessageIterator(sys.argv[1]):
    if type(message) in (bt2._DiscardedEventsMessageConst, bt2._DiscardedPacketsMessageConst):
        lost += message.count or 1
    elif type(message) is bt2._EventMessageConst:
        checked += 1
        why = broken(message.event.name, message.event)
        if why:
            found += 1
            op_id = int(message.event["op_id"])
            print("broken by op %d:%d: %s" % (op_id >> 32 & 0x3fffff, op_id & 0xffffffff, why))

print("%d events checked, %d broken, %d lost" % (checked, found, lost))
sys.exit(1 if found else 2 if lost else 0)
