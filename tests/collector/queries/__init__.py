"""Tests of the queries against plain Python and the public views; `stories` makes random databases."""
