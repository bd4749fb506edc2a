"""The controller: managed tasks, their queue, leases and schedules.

Reading order: `lifecycle` (which statuses a task goes through: one table) and `retry` (whether another attempt
follows), both pure; `rows` (what is kept: one struct per table) and `store` (transactions over them, on SQLite and
PostgreSQL); `engine` (what happens to tasks, as operations on an open transaction); `calendar` (which instants a
schedule has, pure); `why` and `views` (what is read: rows put together into answers); `service` (the engine at work:
writers, polls, timer); `follower`, `facts` and `recorder` (every transition is also told to the recorded traces). What
is decided stands in the engine, without socket, thread or clock, so that the tests can drive it through any
interleaving; the service around it decides nothing.
"""
