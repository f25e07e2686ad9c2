"""The whole stack as processes of its own, under load, killed and restarted at random."""
