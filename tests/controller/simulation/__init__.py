"""A deterministic simulation of the whole controller. Read README.md first."""
