"""Reads what `protoc --decode` makes of a Perfetto export and prints facts, a line each:

calls NAME N        slices that begin and end on their track, innermost first
counter TRACK N     the last value of a counter
wrong TEXT          whatever a reader of the format would stumble over
"""
import collections
import re
import sys


def blocks(lines):
    """The packets, as (path, value) pairs of their fields."""
    path, fields = [], []
    for line in lines:
        line = line.strip()
        if line.endswith("{"):
            path.append(line[:-1].strip())
        elif line == "}":
            path.pop()
            fields.append((".".join(path), None))
            if not path:
                yield fields
                fields = []
        else:
            name, value = line.split(": ", 1)
            fields.append((".".join(path + [name]), value))


tracks, counters, names = {}, {}, {}
open_slices = collections.defaultdict(list)
calls = collections.Counter()
wrong = []
last_time = collections.defaultdict(int)

for packet in blocks(sys.stdin):
    for field, _ in packet:
        if re.search(r"(^|\.)\d+(\.|$)", field):
            wrong.append(f"field {field} is none of the format")
    get = {name: value for name, value in packet if value is not None}
    if "packet.interned_data.event_names.iid" in get:
        iid = None
        for name, value in packet:
            if name == "packet.interned_data.event_names.iid":
                iid = value
            elif name == "packet.interned_data.event_names.name":
                names[iid] = value.strip('"')
    if "packet.track_descriptor.uuid" in get:
        uuid = get["packet.track_descriptor.uuid"]
        if uuid in tracks:
            wrong.append(f"track {uuid} is described twice")
        parent = get.get("packet.track_descriptor.parent_uuid")
        if parent and parent not in tracks:
            wrong.append(f"track {uuid} has a parent that nothing described")
        tracks[uuid] = get.get("packet.track_descriptor.name", "").strip('"')
        continue
    kind = get.get("packet.track_event.type")
    if not kind:
        continue
    uuid, time = get["packet.track_event.track_uuid"], int(get["packet.timestamp"])
    if uuid not in tracks:
        wrong.append(f"an event on track {uuid}, which nothing described")
    if time < last_time[uuid]:
        wrong.append(f"track {uuid} goes back in time at {time}")
    last_time[uuid] = time
    if kind == "TYPE_SLICE_BEGIN":
        iid = get.get("packet.track_event.name_iid")
        name = names.get(iid) if iid else get.get("packet.track_event.name", "").strip('"')
        if not name:
            wrong.append(f"a slice at {time} has no name")
        open_slices[uuid].append(name)
    elif kind == "TYPE_SLICE_END":
        if open_slices[uuid]:
            calls[open_slices[uuid].pop()] += 1
        else:
            wrong.append(f"an end at {time} without a begin")
    elif kind == "TYPE_COUNTER":
        counters[tracks.get(uuid)] = get["packet.track_event.counter_value"]

for uuid, left in open_slices.items():
    if left:
        wrong.append(f"track {uuid}: {left} never end")
for name, count in sorted(calls.items()):
    print("calls", name, count)
for name, value in sorted(counters.items()):
    print("counter", name, value)
for text in wrong[:20]:
    print("wrong", text)
