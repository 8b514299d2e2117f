# The kernel's VFIO self-tests, built outside of its tree: sourced by tests/upstream/run and
# tests/clients/run, with $top set.
#
#   vfio_selftests                   their names
#   vfio_selftest_headers SOURCE DIR headers as `make headers_install` leaves them, below DIR
#   vfio_selftest_build SOURCE DIR PROGRAM OUT [FLAG...]     with these headers

vfio_selftests="vfio_iommufd_setup_test vfio_pci_device_test vfio_dma_mapping_test
	vfio_dma_mapping_mmio_test"

vfio_selftest_headers() {
	local header
	mkdir -p "$2/linux" || return
	for header in iommufd vfio; do
		sed -e 's/ __user / /g' -e 's/ __counted_by([a-z_]*)//' \
			"$1/include/uapi/linux/$header.h" >"$2/linux/$header.h" || return
	done
}

vfio_selftest_build() {
	local source=$1 headers=$2 program=$3 out=$4 tests=$1/tools/testing/selftests
	shift 4
	${CC:-cc} -O2 -w -D_GNU_SOURCE= -Dcalloc_assert=calloc -pthread "$@" -I"$headers" \
		-I"$top/tests/upstream/vfio" -I"$tests/vfio/lib/include" -I"$tests" \
		-I"$source/tools/include" -I"$source/tools/arch/x86/include" -o "$out" \
		"$tests/vfio/$program.c" "$tests"/vfio/lib/*.c "$top/tests/upstream/vfio/drivers.c"
}
