"""Requests made from the published contract, and answers held against it."""
