"""Tests of HTTP over real sockets.

Read `test_body` (any chunking and coding, limits), `test_api` (what was sent is what is answered), `test_sql` (SQL of
users), `test_live` (streams), `test_openapi`, `test_security`, `test_health` and `test_viewer` (its files and its
page).
"""
