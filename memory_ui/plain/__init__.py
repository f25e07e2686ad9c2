"""Server-rendered pages that work with scripts off."""
