"""What happened: taking events in, answering questions, and telling live viewers.

Read `ingest` (the door: bodies in, answers out), `writer` (the one thread that owns the write connection and commits in
groups), `commit` (what one commit does), `identity` (why sending again changes nothing), `lost` (spans whose producer
went away), `feed` (what live viewers are told), then `queries` and `sql` (reading).
"""
