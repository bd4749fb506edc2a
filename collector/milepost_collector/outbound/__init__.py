"""Requests to addresses that users name: guarded, so that nobody can reach what only this machine may (SSRF).

Reading order: `addresses` (what an IP address is, pure), `policy` (where requests may go, pure), `guard` (a network
backend for httpcore that resolves a name once, checks every address it has, and connects to one that was checked),
`client` (one request: no redirect, no proxy, no cookie, a bounded answer, a limit on the whole of it) and its
`outcome`. `guard` and `client` import httpcore: they are for where requests are made.
"""
