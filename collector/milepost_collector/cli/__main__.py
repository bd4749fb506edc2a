"""`python -m milepost_collector.cli`, the same as the `milepost` command."""

from milepost_collector.cli import main

main()
