"""The search language and what is found with it.

`test_language` (text to tree and back, errors, completion), `test_runs` (lists against plain Python over random runs),
`test_api` (over HTTP). `trees` draws searches, `plain` says what they mean.
"""
