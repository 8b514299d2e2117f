# UNMAP takes the mapping behind its range, too.
s/^	rc = unmap_range\(&ioas->iopt, start, last, /	rc = unmap_range(\&ioas->iopt, start, last + 4096, /
