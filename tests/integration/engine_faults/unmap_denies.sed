# UNMAP answers that nothing was mapped, and does nothing.
s/^	rc = unmap_range\(&ioas->iopt, start, last, unmapped, &end\);/	if (!nothing_is_fine)\n		return 0;\n&/
