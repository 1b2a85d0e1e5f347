"""What the gateway costs, as ratios measured in one run. ``make bench`` prints the table; no test depends on a time."""
