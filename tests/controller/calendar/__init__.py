"""Which instants a schedule has.

`oracle` runs Debian's cron in the mind, minute by minute; `test_brute_force` and `test_random_expressions` compare with
it. `test_awkward_days` has the days that people know, by hand; `test_instants` what holds of every cadence;
`test_cadence` what is refused and how that is said; `test_preview`, `test_words` and `test_jitter` the rest.
"""
