#!/bin/sh
# The iommufd self-tests of the stable kernel 6.12.117 do not compile against the headers of the
# very same source.
#
# Seen with Debian's linux-source-6.12 6.12.117-1~deb12u1 and gcc 12: tests of later kernels were
# taken over (GET_HW_INFO with an input type, PASIDs of mock devices) without the members and
# constants that they use. The compiler ends with errors such as: 'struct iommu_hw_info' has no
# member named 'in_data_type'. Whoever runs a stable kernel's own self-tests must add them first.
#
# Needs: apt-get with that package in its lists, dpkg-deb, xz, gcc, libcap-dev. Works in a folder
# of its own, installs nothing. Status 0: it is still so; 1: it has changed; 77: cannot be tried.
set -u

package=linux-source-6.12
version=6.12.117-1~deb12u1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 77

apt-get download -qq "$package=$version" >log 2>&1 || {
	echo "cannot be tried: apt-get does not have $package $version"
	exit 77
}
dpkg-deb --fsys-tarfile ./*.deb | tar x --wildcards '*.tar.xz' || exit 77
tar xf "$(find . -name '*.tar.xz')" --wildcards --strip-components=1 \
	'*/include/uapi/linux/iommufd.h' '*/drivers/iommu/iommufd/*.h' \
	'*/tools/testing/selftests/iommu/*' '*/tools/testing/selftests/*.h' || exit 77

# What `make headers_install` makes of the one header that matters here.
mkdir -p include/linux
sed 's/__user //' include/uapi/linux/iommufd.h >include/linux/iommufd.h

if gcc -fsyntax-only -D_GNU_SOURCE= -Iinclude -I. tools/testing/selftests/iommu/iommufd.c \
	2>errors; then
	echo "changed: the self-tests compile"
	exit 1
fi
sed -n 's/.*error: //p' errors | sort | uniq -c | sort -rn | head -n 8
for word in in_data_type IOMMU_HW_INFO_TYPE_DEFAULT MOCK_FLAGS_DEVICE_PASID; do
	if ! grep -q "error:.*$word" errors; then
		echo "changed: no error about $word"
		exit 1
	fi
	if grep -rq "$word" include/uapi drivers/iommu; then
		echo "changed: a header of the source has $word"
		exit 1
	fi
done
echo "$package $version: its self-tests use what its own iommufd headers do not have"
