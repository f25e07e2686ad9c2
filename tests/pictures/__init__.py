"""Makers of the pictures: who is seen in them, and the camera they share."""
