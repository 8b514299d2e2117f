# MAP puts a mapping a page higher than it says.
s/^		rc = slices_insert\(iopt, slices, count, \*iova, prot\);/		rc = slices_insert(iopt, slices, count, *iova + 4096, prot);/
