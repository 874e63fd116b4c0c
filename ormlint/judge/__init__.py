"""From a query log to findings: rules, selection, suppression."""
