"""Tests of the collector, a folder per package. `conftest` has servers on real sockets."""
