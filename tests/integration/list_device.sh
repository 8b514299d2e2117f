#!/bin/sh
# list_device.sh BDF: all that /sys shows of a PCI device, a line each, as tests/oracle has it of a kernel.
cd "/sys/bus/pci/devices/$1/" || exit 1
find . -maxdepth 3 | LC_ALL=C sort | while read -r f; do
	if [ -L "$f" ]; then
		echo "$f -> $(readlink "$f")"
	elif [ -d "$f" ]; then
		echo "$f/"
	elif [ "$f" = ./config ] || ! [ -r "$f" ] || [ "$(stat -c %a "$f")" = 600 ] ||
		case $(stat -c %A "$f") in -r*) false ;; esac; then
		echo "$(stat -c %A "$f") $f"
	else
		echo "$(stat -c %A "$f") $f = $(tr '\n' '|' <"$f")" | cut -c1-200
	fi
done
