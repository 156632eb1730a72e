"""Helpers of the tests with many files."""

from tests.ui.fake_service import PNG, FakeService, request_pictures
from ui.state.files import PictureFile


def make_files(count: int) -> list[PictureFile]:
    """Create small picture files with different contents."""
    return [PictureFile.from_bytes(f"{number}.png", PNG + bytes([number])) for number in range(count)]


def batch_sizes(service: FakeService) -> list[int]:
    """Return how many pictures each request to `/classify/batch` had."""
    return [len(request_pictures(request)) for request in service.requests_to("/classify/batch")]
