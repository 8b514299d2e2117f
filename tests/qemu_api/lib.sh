# Builds parts of QEMU's sources against the stub. Sourced, after tests/integration/tap.sh.

cc=${CC:-cc}
flags="-std=gnu11 -O1 -g -pthread -D_GNU_SOURCE -I$TOP -I$TOP/backend/include $(pkg-config --cflags glib-2.0)"
libs="$(pkg-config --libs glib-2.0)"
case ${BUILD##*/} in
asan) libs="$libs -fsanitize=address,undefined" ;;
ubsan) libs="$libs -fsanitize=undefined" ;;
tsan) libs="$libs -fsanitize=thread" ;;
coverage) libs="$libs --coverage" ;;
esac
ours="-Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare"

# What qemu_compat.h includes.
compat_headers="qom/object.h qapi/error.h qemu/error-report.h exec/hwaddr.h migration/cpr.h
	system/host_iommu_device.h hw/vfio/vfio-cpr.h"

# stub_headers DIR STUB HEADER...: each header is the stub.
stub_headers() {
	local dir=$1 stub=$2 header
	shift 2
	for header; do
		mkdir -p "$dir/$(dirname "$header")"
		echo "#include \"tests/qemu_api/$stub\"" >"$dir/$header"
	done
	mkdir -p "$dir/linux"
	echo '#include <ioasis/iommufd_abi.h>' >"$dir/linux/iommufd.h"
	echo '#include "tests/qemu_api/linux_vfio.h"' >"$dir/linux/vfio.h"
}

# own_headers FILE...: what sources of QEMU include of QEMU.
own_headers() {
	sed -n 's/^#include "\(.*\)"/\1/p' "$@" | sort -u
}

# compat_folder DIR: an include path in which "system/iommufd.h" is the library.
compat_folder() {
	# shellcheck disable=SC2086
	stub_headers "$1" stub_vfio.h $compat_headers
	echo '#include <ioasis/qemu_compat.h>' >"$1/system/iommufd.h"
}

# trace_header SOURCE EVENTS BODY: functions for the events of a file of QEMU's. With BODY=record
# each tells its fields; the events that EVENTS does not list do nothing.
trace_header() {
	echo '#include "tests/qemu_api/stub.h"'
	awk -v body="$3" '
		match($0, /^[a-z_0-9]+\(/) {
			name = substr($0, 1, RLENGTH - 1)
			args = substr($0, RLENGTH + 1)
			sub(/\).*/, "", args)
			text = "static inline G_GNUC_UNUSED void trace_" name "(" args ")\n{\n"
			count = split(args, arg, ", *")
			if (body == "record")
				text = text "\tstub_event(\"" name "\");\n"
			for (i = 1; i <= count && args != "void"; i++) {
				field = arg[i]
				sub(/.*[ *]/, "", field)
				if (body != "record")
					text = text "\t(void)" field ";\n"
				else if (arg[i] ~ /\*/)
					text = text "\tstub_field(\"" (field == "addr" ? "vaddr" : field) "\", (uintptr_t)" field ");\n"
				else
					text = text "\tstub_field(\"" field "\", (uint64_t)(int64_t)" field ");\n"
			}
			print text "}"
		}' "$2"
	grep -oE '\btrace_[a-z_0-9]+\b' "$1" | sort -u | while read -r name; do
		grep -q "^${name#trace_}(" "$2" || echo "#define $name(...) ((void)0)"
	done
}

# has WORDS: 1 if the header of this QEMU says them.
has() {
	tr -s ' \n' '  ' <"$header" 2>/dev/null | grep -qE "$1" && echo 1 || echo 0
}
