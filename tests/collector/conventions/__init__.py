"""Tests of the convention table and its engine: each alias, each family of the corpus, and what holds of any span."""
