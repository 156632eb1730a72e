"""Attacks on a service: connections that hold its memory or its workers, while ordinary requests are measured beside them."""
