"""The page: draw on a canvas, see what the service makes of it. Speaks to the service over HTTP only."""
