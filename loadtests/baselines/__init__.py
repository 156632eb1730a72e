"""What the service is compared with: the same model served in the usual ways, and with no server at all."""
