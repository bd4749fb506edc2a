"""The controller over HTTP, asked of real collectors over sockets.

`test_tasks`, `test_attempts`, `test_schedules` and `test_agents`: every address's answers and refusals; `test_worker`:
the worker protocol in both formats, polls that wait, clients that go away; `test_kill`: SIGKILL and restarts;
`test_opening`: stores that cannot be opened.
"""
