#!/usr/bin/env bash
# Each header compiles alone; the public ones in C and in C++, without the source tree.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

for h in backend/include/ioasis/*.h; do
	case $h in */qemu_compat.h) continue ;; esac # beside QEMU's headers: tests/qemu_api/check.sh
	name=ioasis/$(basename "$h")
	check "$name alone in C" sh -c "echo '#include <$name>' |
		cc -std=c11 -Wall -Wextra -Werror -pedantic-errors -Ibackend/include -x c -fsyntax-only -"
	check "$name alone in C++" sh -c "echo '#include <$name>' |
		c++ -std=c++11 -Wall -Wextra -Werror -Ibackend/include -x c++ -fsyntax-only -"
done

flags=$(pkg-config --cflags fuse3 lttng-ust babeltrace2 glib-2.0 json-c)
bad=
for h in $(find sim analysis cli tracepoints -name '*.h' ! -name '*_tp.h' | sort); do
	# shellcheck disable=SC2086
	echo "#include \"$h\"" | cc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -I. \
		-Ibackend/include $flags -x c -fsyntax-only - 2>"$TEST_DIR/log" || bad="$bad $h"
done
if [ -z "$bad" ]; then
	ok "every other header stands alone"
else
	not_ok "headers that do not stand alone:$bad"
	sed 's/^/# /' "$TEST_DIR/log"
fi
done_testing
