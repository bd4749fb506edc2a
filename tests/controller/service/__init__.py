"""The asynchronous service around the engine, on real stores.

`test_polls`: who is woken, when, and by what; `test_writers`: group commit, refusals, back pressure; `test_timer`: what
time does; `test_controller`: the whole, restarts and a second collector on the same PostgreSQL.
"""
