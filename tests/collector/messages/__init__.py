"""Messages: `test_corpus` on what real libraries sent, `test_formats`, `test_sources` and `test_events` on each format,
`test_encode` on what is stored of a message, `test_lift` and `test_growth` on attributes without what repeats,
`test_turns` on what is new in a call, `test_promises` on anything.

`shapes` builds spans and conversations in the formats of instrumentations; `recorded` reads the corpus.
"""
