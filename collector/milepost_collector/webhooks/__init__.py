"""Webhooks: everything that happens is told to those who asked for it, at least once, signed, and where it may go.

Reading order: `events` (rows of the logs as events) and `subscriptions` (who wants which), pure; `outbox` (a stretch of
the logs becomes deliveries, in one transaction with its position) and `runs` (the same for recorded runs); `retry`
(what an answer means, pure), `message` and `slack` (an event as it is sent, pure), `settling` (what a try leads to);
`follower` and `dispatcher` (both at work), `upkeep`; `registry` and `views` (what is asked of webhooks), `service` (the
door).
"""
