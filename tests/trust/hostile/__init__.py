"""Hostile requests against the real web application, and what it would mean if one got through."""
