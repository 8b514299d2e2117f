#!/usr/bin/env bash
# Which lines of the sources were run: by folder, and by file below the aim.
#
#   tests/coverage.sh OBJECTS      OBJECTS: the folder with the profile's objects
#
# Aims: sim/engine 95 %, sim/vfio 90 %. Exit status 1: one is missed.
set -u
cd "$(dirname "$0")/.." || exit 3
objects=$1
[ -n "$(find "$objects" -name '*.gcda' -print -quit 2>/dev/null)" ] || {
	echo "coverage: $objects has no counts; make coverage makes them" >&2
	exit 3
}

find "$objects" -name '*.gcno' | sort | while read -r notes; do
	source=${notes#"$objects"/}
	source=${source%.gcno}.c
	gcov -n -o "$(dirname "$notes")" "$source" 2>/dev/null |
		awk -v source="$source" '/^File/ { mine = index($0, "'\''" source "'\''") || $0 ~ "/" source "'\''" }
			mine && /^Lines executed/ { split($0, a, "[:% ]"); n = $NF
				printf "%s %d %d\n", source, n * a[3] / 100 + 0.5, n; mine = 0 }'
done | awk '
	{ folder = $1; sub("/[^/]*$", "", folder); hit[folder] += $2; all[folder] += $3
	  file[$1] = 100 * $2 / $3; of[$1] = $3; folders[folder] }
	END {
		aim["sim/engine"] = 95; aim["sim/vfio"] = 90
		for (f in folders)
			printf "%6.1f %% of %5d lines  %s%s\n", 100 * hit[f] / all[f], all[f], f,
				f in aim ? sprintf("  (aim %d %%)", aim[f]) : "" | "sort -k5"
		close("sort -k5")
		for (f in aim) {
			if (100 * hit[f] / all[f] >= aim[f]) continue
			missed = 1
			print "below the aim in " f ":"
			for (s in file)
				if (index(s, f "/") == 1 && file[s] < aim[f])
					printf "%6.1f %% of %4d  %s\n", file[s], of[s], s | "sort -n"
			close("sort -n")
		}
		exit missed
	}'
