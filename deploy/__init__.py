"""What goes around the service in production, and what it is made of."""
