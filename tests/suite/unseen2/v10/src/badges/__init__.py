"""Badges of two fields, drawn with cairo."""
