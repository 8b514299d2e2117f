#!/usr/bin/env bash
# Programs outside of the tree link the installed library through pkg-config, as
# shared and as static library, in C and in C++. One is the page's: docs/BACKEND.md.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

build=$(cd "${BUILD:-build}" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat >"$dir/vmm.c" <<'END'
#include <ioasis/iommufd_abi.h>
#include <ioasis/iommufd_registry.h>
#include <errno.h>
#include <stdio.h>

int main(void)
{
	IOMMUFDRegistry *registry = iommufd_registry_new();
	IOMMUFDBackend *be = NULL;
	Error *err = NULL;

	iommufd_registry_set_device(registry, "/no/such/device", NULL, NULL);
	if (iommufd_registry_add(registry, "{\"qom-type\":\"iommufd\",\"id\":\"i0\"}", &be, &err) != -ENOENT)
		return 1;
	error_free(err);
	err = NULL;
	be = iommufd_backend_new("i0");
	iommufd_backend_set_device(be, "/no/such/device", NULL, NULL);
	if (!iommufd_backend_connect(be, &err))
		return 2;
	printf("%s: %s\n", iommufd_backend_get_id(be), error_get_pretty(err));
	error_free(err);
	iommufd_backend_delete(be, NULL);
	return iommufd_registry_delete(registry, NULL);
}
END
cp "$dir/vmm.c" "$dir/vmm.cc"
sed -n '/^```c$/,/^```$/{/^```/!p}' docs/BACKEND.md >"$dir/page.c"
expected='i0: opening /no/such/device failed: No such file or directory'

profile=${build##*/} flags=
case $profile in
asan) flags=-fsanitize=address,undefined ;;
ubsan) flags=-fsanitize=undefined ;;
tsan) flags=-fsanitize=thread ;;
O0) ;;
*) profile=default ;;
esac

check "install puts everything below DESTDIR (with a space in it) and prefix" \
	make -s install-backend PROFILE="$profile" prefix="$dir/usr" DESTDIR="$dir/a root"
ln -s "a root" "$dir/root"
lib=$dir/root$dir/usr/lib
export PKG_CONFIG_PATH=$lib/pkgconfig
check_output "the pkg-config file names the prefix" "$dir/usr/lib" \
	pkg-config --variable=libdir ioasis-backend
# pkg-config gives the system's paths without the sysroot that it adds to ours.
static_libs="-L$lib $(pkg-config --static --libs ioasis-backend)"
export PKG_CONFIG_SYSROOT_DIR=$dir/root
cflags="$(pkg-config --cflags ioasis-backend) $flags"
export LD_LIBRARY_PATH=$lib

build_program() { # compiler, source, program, libraries
	# shellcheck disable=SC2086
	"$1" -Wall -Wextra -Werror $cflags "$dir/$2" -o "$dir/$3" $4
}
check "a C program links the shared library" \
	build_program "${CC:-cc}" vmm.c shared "$(pkg-config --libs ioasis-backend)"
check_output "and runs" "$expected" "$dir/shared"
needs_no_lttng() {
	readelf -d "$dir/shared" | grep -q 'NEEDED.*libioasis-backend\.so\.2' &&
		! readelf -d "$lib/libioasis-backend.so" | grep 'NEEDED.*lttng'
}
check "it needs the library by its soname, and no LTTng" needs_no_lttng
exported() { nm -D --defined-only "$lib/libioasis-backend.so" | sed -n 's/.* T \([a-z_]*\)@.*/\1/p' | sort; }
declared() {
	cat backend/include/ioasis/{error,iommufd_backend,iommufd_registry}.h |
		grep -oE '\b(error|iommufd)_[a-z_]+\(' | tr -d '(' | sed 's/^/ioasis_/' | sort -u
}
check_output "it exports what the headers declare, no more" "$(declared)" exported
# QEMU's names for errors, defined in the same program.
cat >"$dir/qemu.c" <<'END'
#include <stdio.h>
void error_free(void *err);
const char *error_get_pretty(const void *err);
void error_free(void *err) { (void)err; puts("QEMU's error_free"); }
const char *error_get_pretty(const void *err) { (void)err; return "QEMU's error_get_pretty"; }
END
with_qemu() { # libraries: links both into one program, and runs it
	# shellcheck disable=SC2086
	"${CC:-cc}" -Wall -Wextra -Werror $cflags "$dir/vmm.c" "$dir/qemu.c" -o "$dir/both" $1 &&
		"$dir/both"
}
check_output "QEMU's error functions may be in the same program" "$expected" \
	with_qemu "$(pkg-config --libs ioasis-backend)"
check "a C++ program links the shared library" \
	build_program "${CXX:-c++}" vmm.cc shared-cc "$(pkg-config --libs ioasis-backend)"
check_output "and runs" "$expected" "$dir/shared-cc"
check "the page's program links the shared library" \
	build_program "${CC:-cc}" page.c page "$(pkg-config --libs ioasis-backend)"
if [ -c /dev/fuse ]; then
	page_runs() { [ "$("$build/ioasis" exec -- "$dir/page")" = "guest memory is mapped" ]; }
	check "and maps guest memory under ioasis exec" page_runs
else
	skip "and maps guest memory under ioasis exec" "this machine has no /dev/fuse"
fi
mv "$lib/libioasis-backend.so" "$dir/aside"
check_output "QEMU's error functions beside the static library" "$expected" with_qemu "$static_libs"
check "a C program links the static library" build_program "${CC:-cc}" vmm.c static "$static_libs"
check_output "and runs" "$expected" "$dir/static"
done_testing
