"""Agents as workers: functions that do the controller's tasks, and the process that serves them.

Reading order: `agent` and `traits` (what a program declares), `handlers` and `inputs` (how a function is called),
`context` (`ctx`) with `asking`, `steps` and `values`; then a worker's inside: `worker` (the whole), `poller` (leases
and commands in), `dispatch` (what becomes of them), `holdings` and `attempt` (what is held, and how it is stopped:
`stops`), `stage` (threads and the event loop), `execution` (one handler at work), `endings` (exceptions become
reports), `outbox` (reports out) and `attaching` (deliverables out); and `channel` and `membership`, the way to the
collector.

A worker has two connections: one that polls, which proves that it lives, and one that reports. Neither ever waits for a
handler.
"""
