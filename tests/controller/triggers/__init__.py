"""Triggers.

`test_signatures` (vectors of each scheme's documentation, and that nothing changed passes), `test_mapping` (pointers,
conditions, inputs), `test_search`, `test_recording` (deliveries on both databases), `test_hooks` and `test_triggers`
(over HTTP), `test_following` (events), `test_kill` (a collector that is killed around deliveries). `senders` send.
"""
