#!/usr/bin/env bash
# The library under QEMU's names. Without QEMU's source: a program in QEMU's style runs through
# <ioasis/qemu_compat.h> under ioasis exec. With QEMU_SOURCE="DIR..." (unpacked sources, or a
# folder with the files below them), for each:
#   backends/iommufd.c, backends/trace-events, include/system/iommufd.h
#	QEMU's own backend and the library go through one script of calls and are compared
#   hw/vfio/iommufd.c, hw/vfio/trace-events (11 and later)
#	QEMU's VFIO code drives a simulated device through the library; the trace passes check
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/qemu_api/lib.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1

objects_of_library="$BUILD/libioasis-backend.a"
api=$TOP/tests/qemu_api

compile() { # OUT SOURCE FLAGS...
	local out=$1 source=$2
	shift 2
	# shellcheck disable=SC2086
	"$cc" $flags "$@" -c -o "$out" "$source"
}

link_program() { # PROGRAM OBJECT...
	local program=$1
	shift
	# shellcheck disable=SC2086
	"$cc" -pthread -o "$program" "$@" "$objects_of_library" -ljson-c -ldl $libs
}

# runs_and_checks PROGRAM EXPECTED [ARG]: under exec with ARG; then without it, recorded if LTTng is
# here, and the verdict is ok.
runs_and_checks() {
	local program=$1
	if ! [ -c /dev/fuse ]; then
		skip "$program runs under ioasis exec" "this machine has no /dev/fuse"
		return
	fi
	check_output "$program runs under ioasis exec" "$2" \
		sh -c "'$BUILD/ioasis' exec --device edu --iommu pasid=8 -- './$program' ${3:-} 2>/dev/null"
	if ! command -v lttng-sessiond >/dev/null; then
		skip "$program: the verdict is ok" "lttng-tools is not installed"
		return
	fi
	check "$program is recorded" "$BUILD/ioasis" record -o "trace-$program" -- \
		"$BUILD/ioasis" exec --device edu --iommu pasid=8 -- "./$program"
	check_output "$program: the verdict is ok" "verdict: ok" \
		sh -c "'$BUILD/ioasis' check 'trace-$program' | tail -n 1"
}

# ---- without QEMU's source ---------------------------------------------------------
compat_folder compat
# shellcheck disable=SC2086
check "qemu_compat.h compiles beside QEMU's names" compile client.o "$api/client.c" -Icompat $ours
check "the stub compiles" compile stub.o "$api/stub.c" $ours
check "QEMU's error functions and the library link into one program" link_program client client.o stub.o
runs_and_checks client "$(cat "$api/client.out")" wrong

# ---- with it -------------------------------------------------------------------------
compare_with() { # SOURCE NAME
	local source=$1 name=$2 include=$2-backends-include has
	header=$source/include/system/iommufd.h
	[ -e "$header" ] || header=$source/include/sysemu/iommufd.h
	# shellcheck disable=SC2046
	stub_headers "$include" stub.h $(own_headers "$source/backends/iommufd.c" "$header")
	mkdir -p "$include/system" "$include/sysemu"
	cp "$header" "$include/system/iommufd.h"
	cp "$header" "$include/sysemu/iommufd.h"
	trace_header "$source/backends/iommufd.c" "$source/backends/trace-events" record \
		>"$include/trace.h"
	has="-DQEMU_HAS_PASID=$(has 'get_device_info\([^;]*max_pasid_log2')
		-DQEMU_HAS_FLAGS=$(has 'get_dirty_bitmap\([^;]*uint64_t flags')
		-DQEMU_HAS_MAP_FILE=$(has 'map_file_dma')
		-DQEMU_HAS_VIOMMU_DATA=$(has 'alloc_viommu\([^;]*data_len')"
	cp "$source/backends/iommufd.c" "$include" # away from QEMU's other headers
	check "$name: QEMU's backends/iommufd.c compiles" compile "$name-iommufd.o" \
		"$include/iommufd.c" "-I$include" -DSTUB_SCRIPTED -w
	# shellcheck disable=SC2086
	check "$name: the script of calls compiles against its header" compile "$name-calls.o" \
		"$api/qemu_calls.c" "-I$include" -DSTUB_SCRIPTED $has $ours
	# shellcheck disable=SC2086
	check "... and for the library" compile compare.o "$api/compare.c" $ours
	check "both link into one program" link_program "$name-compare" "$name-iommufd.o" \
		"$name-calls.o" compare.o stub.o
	if "./$name-compare" >"$name.tap" 2>"$name.err"; then
		while read -r line; do
			case $line in
			*SKIP*) skip "$name: ${line%% #*}" "this QEMU does not have it" ;;
			ok*) ok "$name: ${line#ok * - } is the same" ;;
			esac
		done <"$name.tap"
	else
		not_ok "$name: the library does what QEMU's backend does"
		sed 's/^/# /' "$name.tap"
		tail -n 5 "$name.err" | sed 's/^/# /'
	fi
}

vfio_with() { # SOURCE NAME
	local source=$1 name=$2 include=$2-vfio-include
	compat_folder "$include"
	# shellcheck disable=SC2046
	stub_headers "$include" stub_vfio.h $(own_headers "$source/hw/vfio/iommufd.c")
	echo '#include <ioasis/qemu_compat.h>' >"$include/system/iommufd.h"
	trace_header "$source/hw/vfio/iommufd.c" "$source/hw/vfio/trace-events" nothing \
		>"$include/trace.h"
	header=$source/include/system/iommufd.h
	version=1101
	[ "$(has 'alloc_viommu\([^;]*data_len')" = 1 ] || version=1100
	cp "$source/hw/vfio/iommufd.c" "$include"
	check "$name: QEMU's hw/vfio/iommufd.c compiles against the library" compile \
		"$name-vfio.o" "$include/iommufd.c" "-I$include" -DIOASIS_QEMU_API=$version -w \
		-Werror=implicit-function-declaration -Werror=incompatible-pointer-types \
		-Werror=int-conversion
	# shellcheck disable=SC2086
	check "$name: the machine around it compiles" compile "$name-machine.o" "$api/vfio.c" \
		"-I$include" -DIOASIS_QEMU_API=$version $ours
	check "$name: they link" link_program "$name-vfio" "$name-vfio.o" "$name-machine.o" stub.o
	runs_and_checks "$name-vfio" "$(cat "$api/vfio.out")"
}

if [ -z "${QEMU_SOURCE:-}" ]; then
	skip "QEMU's own sources" "QEMU_SOURCE=\"DIR...\" names none"
fi
number=0
for source in ${QEMU_SOURCE:-}; do
	number=$((number + 1))
	name=qemu$number
	if ! [ -e "$source/backends/iommufd.c" ] && ! [ -e "$source/hw/vfio/iommufd.c" ]; then
		not_ok "$source has neither backends/iommufd.c nor hw/vfio/iommufd.c"
		continue
	fi
	[ ! -e "$source/backends/iommufd.c" ] || compare_with "$source" "$name"
	if ! [ -e "$source/hw/vfio/iommufd.c" ]; then
		:
	elif grep -q 'VFIO_IOMMU_IOMMUFD(' "$source/hw/vfio/iommufd.c" &&
		grep -q 'pasid_attach_ioas_hwpt' "$source/hw/vfio/iommufd.c"; then
		vfio_with "$source" "$name"
	else
		skip "$name: hw/vfio/iommufd.c" "it is older than QEMU 11's"
	fi
done
done_testing
