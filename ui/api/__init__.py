"""The HTTP client of the classifier service, the schemas of its responses, and the route that proxies the gallery's export."""
