#!/usr/bin/env bash
# The backend's tests of a device that answers, on the fake's file: as any program is run.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

build=${BUILD:-build}
[ -c /dev/fuse ] || skip_all "this machine has no /dev/fuse"
export CMOCKA_MESSAGE_OUTPUT=TAP CONFORMANCE_DEVICE=/dev/iommu CONFORMANCE_TEST_OPS=1
exec "$build/ioasis" exec --test-ops --leak-check no -- "$build/tests/test_backend_device"
