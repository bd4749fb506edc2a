"""Tests of the queries against plain Python and the public views.

`stories` makes random databases, of which `test_runs` and `test_groups` ask what a list and a group of runs are;
`test_arguments` is about the first arguments of rows, `test_pool` about connections, limits and stopping a query.
"""
