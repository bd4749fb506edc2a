"""Tests of the pure part: conventions and pricing."""
