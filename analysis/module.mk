# Reading traces: decode, state, checkers, reports.

analysis_srcs := \
	analysis/quality.c \
	analysis/range_set.c \
	analysis/table.c
