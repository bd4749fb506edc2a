"""Forwarding, seen from a destination on a real socket; the queue's file format as properties."""
