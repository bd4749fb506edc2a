"""Tests of HTTP over real sockets: bodies, routes, user SQL, live streams, security, the viewer's files."""
