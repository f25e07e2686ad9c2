"""Background work: plain functions registered on whatever broker they are given."""
