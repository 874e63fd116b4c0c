"""Writes that a loop sends one by one."""
