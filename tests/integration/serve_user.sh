#!/usr/bin/env bash
# `ioasis serve` for a user that is not root, who mounts with fusermount3. Runs as root in a
# mount namespace of its own, where /dev/fuse is open to all as on most machines.
. "$TOP/tests/integration/tap.sh"

[ "$(id -u)" = 0 ] || skip_all "only root can become another user"
[ -e /dev/fuse ] || skip_all "no /dev/fuse"
command -v fusermount3 >/dev/null || skip_all "no fusermount3 (package fuse3)"
if [ -z "${IOASIS_TEST_NAMESPACE:-}" ]; then
	unshare -m true 2>/dev/null || skip_all "no mount namespace of its own"
	IOASIS_TEST_NAMESPACE=yes exec unshare -m --propagation private "$0" "$@"
fi

# A place that the user reaches, whatever the folders above this one allow.
place=/mnt
mount -t tmpfs -o mode=1777 none "$place" || skip_all "no tmpfs can be mounted"
mknod -m 666 "$place/fuse" c 10 229 2>/dev/null || skip_all "no device node can be made"
mount --bind "$place/fuse" /dev/fuse && (: <>/dev/fuse) 2>/dev/null ||
	skip_all "a device node that was made here cannot be opened"
cp "$BUILD/ioasis" "$BUILD/tests/device_client" "$place" || skip_all "nothing is built"
cd "$place" || exit 1

user="setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all"
mounted() {
	grep -q " $place/iommu " /proc/self/mountinfo
}

$user "$place/ioasis" serve --at "$place/iommu" >serve.out 2>serve.err &
serve_pid=$!
trap 'kill -KILL $serve_pid 2>/dev/null' EXIT
until grep -q "^ready" serve.out || ! kill -0 "$serve_pid" 2>/dev/null; do
	read -rt 0.005 <> <(:)
done
check_output "it says where it is ready" "ready $place/iommu" cat serve.out serve.err
check_output "the user's programs work" "ids 1 2
child 3
again ENOENT
other ok" $user "$place/device_client" "$place/iommu" share
check_status "another user's do not" 1 "$place/device_client" "$place/iommu" share
kill -TERM "$serve_pid"
wait "$serve_pid"
check_output "SIGTERM ends it with 0" 0 echo $?
check "nothing is mounted then" eval '! mounted'
check "the file that it made is gone" test ! -e iommu

out=$($user "$place/ioasis" serve --at /etc/iommu 2>&1)
check_output "a place that is not the user's" \
	"3 ioasis serve: cannot make /etc/iommu: Permission denied; choose another path with --at" \
	echo "$? $out"
done_testing
