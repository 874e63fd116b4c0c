"""Comments that silence rules and are wrong."""
