"""Load tests and measurements; they speak to the service over HTTP only."""
