"""Which take is heard next: one specification, pure, and the figures it is given."""
