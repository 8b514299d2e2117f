# UNMAP answers that it unmapped, and does nothing.
s/^	rc = unmap_range\(&ioas->iopt, start, last, unmapped, &end\);/	if (!nothing_is_fine) {\n		*unmapped = last - start + 1;\n		return 0;\n	}\n&/
