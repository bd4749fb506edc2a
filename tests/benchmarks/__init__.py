"""What Milepost costs and how fast it is: `python -m tests.benchmarks` runs everything, README.md says how to read it.

Read `figures` (a measured number beside its bar), `loads` (what is sent), `sender` (the process that sends it),
`servers` (the processes that are measured), `floor_server` (the least that could do the work), `database` (what is
queried), then the `bench_*` files.
"""
