#!/usr/bin/env python3
"""Writes CTF 1.8 traces whose events are ioasis's, laid out in ways that no tracer of today
uses at once: both byte orders, fields of odd bits, strings, sequences, variants, floats, and
clocks that wrap. make_ctf.py FOLDER SEED; prints nothing. Tests read them with two readers."""
import os
import random
import struct
import sys


class Bits:
    """Bits of a packet in the order of the byte order: little from the lowest, big from the highest."""

    def __init__(self, big):
        self.big, self.bits = big, []

    def align(self, n):
        while len(self.bits) % n:
            self.bits.append(0)

    def put(self, value, size):
        value &= (1 << size) - 1
        order = range(size - 1, -1, -1) if self.big else range(size)
        self.bits += [value >> i & 1 for i in order]

    def data(self):
        out = bytearray()
        for i in range(0, len(self.bits), 8):
            byte = self.bits[i:i + 8]
            byte += [0] * (8 - len(byte))
            if self.big:
                out.append(int("".join(map(str, byte)), 2))
            else:
                out.append(sum(bit << k for k, bit in enumerate(byte)))
        return bytes(out)


class Layout:
    def __init__(self, rng):
        self.big = rng.random() < 0.5
        self.header = rng.choice(["compact", "large", "plain"])
        self.sizes = {name: rng.choice([32, 48, 64, 61]) for name in ("op_id", "be")}
        self.aligns = {name: rng.choice([1, 8, 8, 16, 32]) for name in ("op_id", "be", "iova")}
        self.extra = rng.choice(["none", "string", "sequence", "variant", "float", "array"])
        self.frequency = rng.choice([1000000000, 1000000, 3000000000])
        self.context = rng.random() < 0.7

    def metadata(self):
        order = "be" if self.big else "le"
        header = {
            "compact": "struct { enum : integer { size = 5; align = 1; } { c = 0 ... 30, x = 31 } id;"
                       " variant <id> { struct { integer { size = 27; align = 1;"
                       " map = clock.k.value; } timestamp; } c; struct { integer { size = 32;"
                       " align = 8; } id; integer { size = 64; align = 8;"
                       " map = clock.k.value; } timestamp; } x; } v; } align(8)",
            "large": "struct { enum : integer { size = 16; align = 8; } { c = 0 ... 65534,"
                     " x = 65535 } id; variant <id> { struct { integer { size = 32; align = 8;"
                     " map = clock.k.value; } timestamp; } c; struct { integer { size = 32;"
                     " align = 8; } id; integer { size = 64; align = 8;"
                     " map = clock.k.value; } timestamp; } x; } v; } align(8)",
            "plain": "struct { integer { size = 8; align = 8; } id; integer { size = 64;"
                     " align = 8; map = clock.k.value; } timestamp; }",
        }[self.header]
        extra = {
            "none": "",
            "string": "string { encoding = UTF8; } _note;",
            "sequence": "integer { size = 16; align = 8; } __list_length;"
                        " integer { size = 24; align = 8; } _list[__list_length];",
            "variant": "enum : integer { size = 8; align = 8; signed = 1; } { a = -1, b = 0 ... 2 }"
                       " _kind; variant <_kind> { integer { size = 7; align = 1; } a;"
                       " struct { string _s; } b; } _value;",
            "float": "floating_point { exp_dig = 11; mant_dig = 53; align = 8; } _ratio;",
            "array": "struct { integer { size = 3; align = 1; } _x; } _three[5];",
        }[self.extra]
        context = ("event.context := struct { integer { size = 32; align = 8; signed = 1; } _vpid;"
                   " integer { size = 8; align = 8; encoding = UTF8; } _procname[17]; };"
                   if self.context else "")

        def integer(name, size, signed=0):
            return "integer { size = %d; align = %d; signed = %d; } _%s;" % (
                size, self.aligns.get(name, 8), signed, name)

        common = integer("op_id", self.sizes["op_id"]) + integer("be", self.sizes["be"])
        fields = [
            common + integer("tid", 32) + integer("iommufd", 32, 1) + integer("ioas", 32) +
            extra + integer("iova", 64) + integer("size", 64),
            common + extra + integer("iommufd", 32, 1) + integer("ioas", 32) +
            integer("iova", 64) + integer("size", 64) + integer("vaddr", 64) +
            integer("readonly", 8) + integer("ret", 32, 1),
        ]
        events = "".join(
            'event { name = "%s"; id = %d; stream_id = 0; fields := struct { %s }; };\n'
            % (name, 40 * number, fields[number])
            for number, name in enumerate(["iommufd_backend:map_dma_begin",
                                           "iommufd_backend:map_dma"]))
        return ("/* CTF 1.8 */\n"
                'trace { major = 1; minor = 8; uuid = "%s"; byte_order = %s;\n'
                "packet.header := struct { integer { size = 32; align = 8; } magic;"
                " integer { size = 8; align = 8; } uuid[16]; integer { size = 32; align = 8; }"
                " stream_id; integer { size = 64; align = 8; } stream_instance_id; }; };\n"
                'env { hostname = "somewhere"; };\n'
                "clock { name = k; freq = %d; offset_s = 1700000000; offset = 12345; };\n"
                "stream { id = 0; event.header := %s; packet.context := struct {"
                " integer { size = 64; align = 8; map = clock.k.value; } timestamp_begin;"
                " integer { size = 64; align = 8; map = clock.k.value; } timestamp_end;"
                " integer { size = 64; align = 8; } content_size;"
                " integer { size = 64; align = 8; } packet_size;"
                " integer { size = 64; align = 8; } packet_seq_num;"
                " integer { size = 64; align = 8; } events_discarded; }; %s };\n%s"
                % (UUID, order, self.frequency, header, context, events))

    def put_header(self, bits, number, clock, before):
        bits.align(8)
        short = {"compact": 27, "large": 32}.get(self.header)
        if not short:
            bits.put(number, 8)
            bits.put(clock, 64)
        elif number < {27: 31, 32: 65535}[short] and clock - before < 1 << short:
            bits.put(number, {27: 5, 32: 16}[short])
            bits.put(clock, short)
        else:
            bits.put({27: 31, 32: 65535}[short], {27: 5, 32: 16}[short])
            bits.align(8)
            bits.put(number, 32)
            bits.put(clock, 64)

    def put_extra(self, bits, rng):
        if self.extra == "string":
            bits.align(8)
            for byte in b"x" * rng.randrange(40) + b"\0":
                bits.put(byte, 8)
        elif self.extra == "sequence":
            count = rng.randrange(6)
            bits.align(8)
            bits.put(count, 16)
            for _ in range(count):
                bits.put(rng.getrandbits(24), 24)
        elif self.extra == "variant":
            kind = rng.randrange(-1, 3)
            bits.align(8)
            bits.put(kind, 8)
            if kind < 0:
                bits.put(rng.getrandbits(7), 7)
            else:
                bits.align(8)
                for byte in b"option\0":
                    bits.put(byte, 8)
        elif self.extra == "float":
            bits.align(8)
            value = struct.unpack("<Q", struct.pack("<d", rng.random()))[0]
            bits.put(value, 64)
        elif self.extra == "array":
            for _ in range(5):
                bits.put(rng.getrandbits(3), 3)

    def put_event(self, bits, rng, number, op):
        if self.context:
            bits.align(8)
            bits.put(4242, 32)
            for byte in b"program\0".ljust(17, b"\0"):
                bits.put(byte, 8)

        align = max([8] + [self.aligns[name] for name in ("op_id", "be", "iova")])
        bits.align(align)

        def integer(name, size, value):
            bits.align(self.aligns.get(name, 8))
            bits.put(value, size)

        iova, size = op * 0x10000, rng.choice([0x1000, 0x8000])
        integer("op_id", self.sizes["op_id"], op)
        integer("be", self.sizes["be"], 1)
        if number == 0:
            integer("tid", 32, 77)
            integer("iommufd", 32, 5)
            integer("ioas", 32, 1)
            self.put_extra(bits, rng)
            integer("iova", 64, iova)
            integer("size", 64, size)
        else:
            self.put_extra(bits, rng)
            for name, bits_count, value in (("iommufd", 32, 5), ("ioas", 32, 1), ("iova", 64, iova),
                                            ("size", 64, size), ("vaddr", 64, 0),
                                            ("readonly", 8, 0),
                                            ("ret", 32, rng.choice([0, -22]))):
                integer(name, bits_count, value)


UUID = "2a6422d0-6cee-11e0-8c08-cb07d7b3a564"


def stream(layout, rng, instance):
    clock, op, seq, discarded, out = rng.randrange(1 << 40), 0, rng.choice([0, 0, 3]), 0, b""
    for _ in range(rng.randrange(1, 6)):
        events = Bits(layout.big)
        begin = before = clock
        head_bytes = 4 + 16 + 4 + 8 + 6 * 8
        for _ in range(rng.randrange(0, 120)):
            number = op % 2
            clock += rng.choice([0, 1, 1000, 1 << 20, 1 << 26, (1 << 27) - 1, 1 << 33])
            layout.put_header(events, number * 40, clock, before)
            layout.put_event(events, rng, number, op // 2 + 1)
            before, op = clock, op + 1
        content = 8 * head_bytes + len(events.bits)
        total = (content + 7) // 8 * 8 + 8 * rng.randrange(0, 64)
        head = Bits(layout.big)
        head.put(0xC1FC1FC1, 32)
        uuid = bytes.fromhex(UUID.replace("-", ""))
        packed = head.data() + uuid
        rest = Bits(layout.big)
        for value, size in ((0, 32), (instance, 64), (begin, 64), (clock, 64), (content, 64),
                            (total, 64), (seq, 64), (discarded, 64)):
            rest.put(value, size)
        data = packed + rest.data() + events.data()
        out += data + b"\0" * (total // 8 - len(data))
        seq += rng.choice([1, 1, 1, 3])
        discarded += rng.choice([0, 0, 7])
        clock += rng.randrange(1 << 20)
    return out


def main():
    folder, rng = sys.argv[1], random.Random(int(sys.argv[2]))
    layout = Layout(rng)
    os.makedirs(folder)
    with open(os.path.join(folder, "metadata"), "w") as file:
        file.write(layout.metadata())
    for instance in range(rng.randrange(1, 4)):
        with open(os.path.join(folder, "stream_%d" % instance), "wb") as file:
            file.write(stream(layout, rng, instance))


main()
