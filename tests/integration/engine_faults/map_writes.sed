# MAP lets devices write to what was mapped to be read.
s/^		ctx_commit\(iopt->ctx, &ioas->object, commit, at, at \+ \(slices\[i\].length - 1\),/		prot |= TRACE_PROT_WRITE;\n&/
