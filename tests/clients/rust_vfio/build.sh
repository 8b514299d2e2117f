#!/usr/bin/env bash
# Builds main.rs with rust-vmm's vfio-ioctls, from sources that are given and Debian's crates:
#
#   build.sh VFIO IOMMUFD FOLDER
#
# VFIO, IOMMUFD: the trees of github.com/rust-vmm/vfio and github.com/cloud-hypervisor/iommufd.
# The program is FOLDER/edu_rs. Debian's crates are newer than the manifests ask for, so what
# these say of versions is left out; vm-memory 0.18 has another name for a trait.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
vfio=$1 iommufd=$2 work=$3/rust
registry=/usr/share/cargo/registry

[ -d $registry/vm-memory-0.18.0 ] || [ -n "$(ls -d $registry/vm-memory-* 2>/dev/null)" ] || {
	echo "no crates in $registry (packages librust-vm-memory-dev, ...)" >&2
	exit 1
}
rm -rf "$work"
mkdir -p "$work/src" "$work/.cargo"
cp -r "$vfio/vfio-bindings" "$vfio/vfio-ioctls" "$iommufd/iommufd-bindings" \
	"$iommufd/iommufd-ioctls" "$work"
cp "$here/main.rs" "$work/src/"
cat >"$work/Cargo.toml" <<'MANIFEST'
[workspace]
members = ["vfio-bindings", "vfio-ioctls", "iommufd-bindings", "iommufd-ioctls"]
resolver = "2"
[workspace.dependencies]
thiserror = "*"
vmm-sys-util = "*"
[package]
name = "edu_rs"
version = "0.0.0"
edition = "2021"
[dependencies]
libc = "*"
vmm-sys-util = "*"
vfio-ioctls = { path = "vfio-ioctls", features = ["vfio_cdev"] }
iommufd-ioctls = { path = "iommufd-ioctls" }
[patch.crates-io]
iommufd-ioctls = { path = "iommufd-ioctls" }
iommufd-bindings = { path = "iommufd-bindings" }
MANIFEST
sed -i -E -e '/^mshv-bindings = /,/\}/d' -e '/^mshv/d' \
	-e 's/^(kvm-bindings|kvm-ioctls|vm-memory)( = \{ version = )"[^"]*"/\1\2"*"/' \
	"$work/vfio-ioctls/Cargo.toml"
if [ -d $registry/vm-memory-0.18.0 ]; then
	sed -i 's/\bGuestMemory\b/GuestMemoryBackend/g' "$work"/vfio-ioctls/src/*.rs
fi
cat >"$work/.cargo/config.toml" <<CONFIG
[source.crates-io]
replace-with = "debian"
[source.debian]
directory = "$registry"
CONFIG
cd "$work"
CARGO_HOME=$work/.cargo cargo build --quiet --offline --release
cp target/release/edu_rs "$3/edu_rs"
