"""Deployment of the service: container image, locked requirements, vulnerability audit, bill of materials."""
