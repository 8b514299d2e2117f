# Tests and benchmarks. Every test is a program or a script that prints TAP;
# tests/run runs them and closes with `N passed, N failed, N skipped`.

bench_srcs :=
