# The library that a VMM links.

backend_srcs :=
