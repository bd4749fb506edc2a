"""Forwarding, seen from a destination on a real socket (`backend`); the queue's file format as properties.

Read `test_destinations` and `test_retry` (pure), `test_queue` (files, and wherever a crash cuts them),
`test_forwarding` (everything arrives, in order), `test_collector` (whole collectors, circles included) and `test_kill`
(SIGKILL of `appender`).
"""
