"""A warehouse: suppliers send shipments, shipments become stock."""
