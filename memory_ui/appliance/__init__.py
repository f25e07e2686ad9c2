"""The node as an appliance: what a box needs before and beside the pages, how it is set, and how it stands."""
