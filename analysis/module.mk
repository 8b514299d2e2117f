# Reading traces: decode, state, checkers, reports.

analysis_srcs :=
