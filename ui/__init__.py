"""The page: draw or send a picture, see what the service makes of it. Speaks to the service over HTTP only."""
