#!/bin/bash
# A program outside of the tree links the installed library through pkg-config,
# as shared and as static library, in C and in C++.
set -u
build=$(cd "${BUILD:-build}" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
number=0

result() { # status, name
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		sed 's/^/# /' "$dir/log"
	fi
}

echo 1..6
cat > "$dir/vmm.c" <<'END'
#include <ioasis/iommufd_abi.h>
#include <ioasis/iommufd_registry.h>
#include <stdio.h>

int main(void)
{
	IOMMUFDRegistry *registry = iommufd_registry_new();
	IOMMUFDBackend *be = NULL;
	Error *err = NULL;

	iommufd_registry_set_device(registry, "/no/such/device", NULL, NULL);
	if (iommufd_registry_add(registry, "{\"qom-type\":\"iommufd\",\"id\":\"i0\"}", &be, &err))
		return 1;
	if (!iommufd_backend_connect(be, &err))
		return 2;
	printf("%s: %s\n", iommufd_backend_get_id(be), error_get_pretty(err));
	error_free(err);
	return iommufd_registry_delete(registry, NULL);
}
END
cp "$dir/vmm.c" "$dir/vmm.cc"
expected='i0: opening /no/such/device failed: No such file or directory'
profile=${build##*/}
flags=
case $profile in
asan) flags=-fsanitize=address,undefined ;;
ubsan) flags=-fsanitize=undefined ;;
tsan) flags=-fsanitize=thread ;;
*) profile=default ;;
esac

make -s install-backend PROFILE="$profile" prefix="$dir/usr" DESTDIR="$dir/root" > "$dir/log" 2>&1
result $? "install puts everything below DESTDIR and prefix"
lib=$dir/root$dir/usr/lib
export PKG_CONFIG_PATH=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$dir/root
# Without a sysroot the .pc names the prefix alone.
[ "$(PKG_CONFIG_SYSROOT_DIR='' pkg-config --variable=libdir ioasis-backend)" = "$dir/usr/lib" ]
result $? "the pkg-config file names the prefix"

cflags="$(pkg-config --cflags ioasis-backend) $flags"
compile() { # compiler, source, program, libraries
	"$1" -Wall -Wextra -Werror $cflags "$dir/$2" -o "$dir/$3" $4 > "$dir/log" 2>&1 &&
		LD_LIBRARY_PATH=$lib "$dir/$3" > "$dir/out" 2>> "$dir/log" &&
		cat "$dir/out" >> "$dir/log" && [ "$(cat "$dir/out")" = "$expected" ]
}
compile "${CC:-cc}" vmm.c shared "$(pkg-config --libs ioasis-backend)"
result $? "a C program with the shared library"
readelf -d "$dir/shared" > "$dir/log" && grep -q 'NEEDED.*libioasis-backend\.so\.0' "$dir/log" &&
	! grep -q 'NEEDED.*lttng' "$dir/log"
result $? "it needs the library by its soname, and no LTTng"
compile "${CXX:-c++}" vmm.cc shared-cc "$(pkg-config --libs ioasis-backend)"
result $? "a C++ program with the shared library"
mv "$lib/libioasis-backend.so" "$dir/aside"
# pkg-config gives the system's paths without the sysroot that it adds to ours.
libs=$(PKG_CONFIG_SYSROOT_DIR='' pkg-config --static --libs ioasis-backend)
compile "${CC:-cc}" vmm.c static "-L$lib $libs"
result $? "a C program with the static library"
