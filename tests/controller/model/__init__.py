"""The controller against a model of it in plain dictionaries, through the engine and over HTTP.

Reading order: `model`, `subjects` (what is compared with it), `machine` (what hypothesis draws).
"""
