"""Counting every model call once.

Read `builders` (runs in a few words), then `test_nesting` and `test_repeats` (the rules one by one), `test_families`
(structures of frameworks), `test_promises` (what holds for every run) and `test_corpus` (real payloads against what the
model is known to have answered, with `truth`, the facts).
"""
