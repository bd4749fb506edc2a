"""The asynchronous service around the engine: group commit, polls that wait, the timer, bulk actions, back pressure."""
