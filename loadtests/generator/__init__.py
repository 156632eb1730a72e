"""The load generator: arrivals, requests, what came of them, and the Locust users that send them."""
