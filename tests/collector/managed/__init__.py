"""What the controller does, as it is recorded in DuckDB and told to live viewers.

`test_recorder` and `test_views` with facts made by hand, `test_follower` with a store between them that fails where it
may, `test_usage` (what tasks used), `test_live` and `test_kill` with whole collectors.
"""
