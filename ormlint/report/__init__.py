"""What a run found, in the formats people and programs read; one module per format."""
