"""A node as an appliance: how it is set, how it stands, and what to do where it does not stand well."""
