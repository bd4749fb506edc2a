"""Tests of the convention table and its engine.

`builders` makes spans in a few words. Read `test_kinds`, `test_texts`, `test_usage` and `test_outcomes` (each alias and
rule), `test_families` (spans of frameworks that the corpus has no recording of), `test_corpus` (those it has),
`test_promises` (what holds of any span), `test_table` (the file, and users' own) and `test_promoted` (Milepost's own
API).
"""
