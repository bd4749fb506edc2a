"""Which instants a schedule has. Pure: no clock, no database, no log; the time zone database is the only thing read.

Reading order: `cadence` (cron, interval or once: what a schedule may be) with `errors` and `fields` (the five fields of
a cron expression, checked); `pattern` (which wall-clock minutes an expression names, without a zone); `zones` (a zone
as stretches of constant UTC offset); `clock_changes` (Debian's rules where two stretches meet); `instants` (the
questions one asks: which, how many, next, latest). For people: `preview` (the next instants with their offsets and
remarks) and `words` (the rule in English). `jitter` moves a start by an amount that can be told in advance.

Instants are integer milliseconds since the Unix epoch, in names ending `_at`. Everything may be used from any thread.
"""
