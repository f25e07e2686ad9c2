"""The node as an appliance: what a box needs before and beside the pages."""
