"""Use-cases. A step is one unit of work; nothing here knows a database, a store or a web framework."""
