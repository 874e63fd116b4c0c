"""Programs that execute cases under the real ORMs; each runs in a process of its own."""
