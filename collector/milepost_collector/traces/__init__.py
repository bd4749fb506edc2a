"""What happened: taking events in, answering questions, and telling live viewers.

Read `ingest` (the door: bodies in, answers out), `reading` with `helper` (bodies to rows, in a second process while
bodies have to wait for each other), `writer` (the one thread that owns the write connection and commits in groups),
`commit` (what one commit does) with its `statements`, `identity` (why sending again changes nothing), `duplicates`
(which of two copies of a span stands), `contents` and `digests` (what is stored once by its content), `usage` (which
spans repeat the usage of others), `lost` (spans whose producer went away), `poison` (a batch that the database
refuses), `managed` (the record of what the controller did), `feed` (what live viewers are told) with `messages` and
`task_messages`, then `queries` and `sql` with `sql_guard` (reading).
"""
