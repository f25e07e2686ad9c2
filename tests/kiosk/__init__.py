"""Servers, networks and browsers killed under the participants of a kiosk, at moments chosen by a seed."""
