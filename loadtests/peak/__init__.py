"""The highest arrival rate at which a service meets its objectives: search, confirmation, report."""
