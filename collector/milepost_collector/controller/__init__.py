"""The controller: managed tasks, their queue, leases and schedules."""
