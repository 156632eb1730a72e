"""Checks problem documents (RFC 9457)."""

import httpx


def is_problem(response: httpx.Response, status: int, code: str) -> str:
    """Check the document and give its detail."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert set(problem) == {"type", "title", "status", "detail", "code", "request_id"}
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["request_id"] == response.headers["x-request-id"]
    return str(problem["detail"])
