#!/bin/sh
# babeltrace2 misreads a count of lost events that wraps: 2.0.4 says that 18446744069414584330
# were lost where 10 were, 2.1.1 and 2.1.2 say nothing.
#
# CTF 1.8.3 (5.2, event packet context) calls events_discarded a free-running counter, and leaves
# its width to the trace. Here it has 32 bits (as on machines where a long has), and goes from
# 0xfffffffa to 4 between two packets. The trace also loses 10 events without a wrap before,
# which both tell rightly. Who takes "no warning" for "nothing is missing" is misled by 2.1.
#
# Seen with Debian's babeltrace2 2.0.4-1+b6 (12), 2.1.1-1 (13) and 2.1.2-2.1 (sid).
#
# Needs: apt-get with one of these in its lists, dpkg-deb, python3, libdw1, libglib2.0. Works in a
# folder of its own, installs nothing. Status 0: it is still so; 1: it has changed; 77: cannot be tried.
set -u

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir" || exit 77

for version in 2.0.4-1+b6 2.1.1-1 2.1.2-2.1; do
	apt-get download -qq "babeltrace2=$version" "libbabeltrace2-0=$version" >log 2>&1 && break
	rm -f ./*.deb
done
set -- ./*.deb
if [ "$#" != 2 ]; then
	echo "cannot be tried: apt-get has none of these versions of babeltrace2"
	exit 77
fi
for deb; do dpkg-deb -x "$deb" root || exit 77; done
lib=$(dirname "$(find "$dir/root" -name 'libbabeltrace2.so.0')")

mkdir trace
cat >trace/metadata <<'END'
/* CTF 1.8 */
trace {
	major = 1; minor = 8; byte_order = le;
	packet.header := struct {
		integer { size = 32; align = 8; } magic;
		integer { size = 32; align = 8; } stream_id;
	};
};
clock { name = c; freq = 1000000000; };
typealias integer { size = 64; align = 8; map = clock.c.value; } := ts_t;
stream {
	id = 0;
	packet.context := struct {
		ts_t timestamp_begin;
		ts_t timestamp_end;
		integer { size = 64; align = 8; } content_size;
		integer { size = 64; align = 8; } packet_size;
		integer { size = 32; align = 8; } events_discarded;
	};
	event.header := struct { ts_t timestamp; };
};
event { name = e; stream_id = 0; fields := struct { integer { size = 32; align = 8; } x; }; };
END
python3 - >trace/stream <<'END' || exit 77
import struct, sys
for i, discarded in enumerate([0xfffffff0, 0xfffffffa, 4]):
    event = struct.pack('<QI', i * 100 + 10, i)
    bits = (8 + 36 + len(event)) * 8
    sys.stdout.buffer.write(struct.pack('<IIQQQQI', 0xC1FC1FC1, 0, i * 100, i * 100 + 50,
                                        bits, bits, discarded) + event)
END

LD_LIBRARY_PATH=$lib root/usr/bin/babeltrace2 --omit-system-plugin-path --omit-home-plugin-path \
	--plugin-path="$lib/babeltrace2/plugins" trace >out 2>err || {
	echo "cannot be tried: babeltrace2 does not run here"
	head -n 3 err
	exit 77
}
cat err
if ! grep -q 'discarded 10 events between \[00:00:00.000000050\]' err; then
	echo "changed: the loss without a wrap is not told as 10 events"
	exit 1
fi
told=$(sed -n 's/.*discarded \([0-9]*\) events between \[00:00:00.000000150\].*/\1/p' err)
case $version:$told in
2.0.4-*:18446744069414584330 | 2.1.*:) ;;
*)
	echo "changed: of the loss with a wrap it says '$told'"
	exit 1
	;;
esac
echo "babeltrace2 $version: 10 events were lost while the counter wrapped; it tells of ${told:-none}"
