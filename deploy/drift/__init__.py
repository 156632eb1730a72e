"""``python -m deploy.drift``: compares the answers of a service, or a file of results, with the references of its models."""
