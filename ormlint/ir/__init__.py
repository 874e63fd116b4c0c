"""The intermediate language that every stage after reading works on."""
