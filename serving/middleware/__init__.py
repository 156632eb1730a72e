"""ASGI middleware: authentication, rate limit, cross-site guard, security headers, error documents."""
