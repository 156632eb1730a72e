"""The digit model behind LitServe: ``python -m loadtests.baselines.litserve_app PORT``."""

import signal
import sys
from typing import Any, Final

import litserve
from fastapi import HTTPException, Request
from PIL import Image

from loadtests.baselines.usual import Array, answer, load_labels, load_session, predict, prepare

WORKERS: Final = 2


class Digits(litserve.LitAPI):
    """Classifies one image a call, in each of the worker processes."""

    def setup(self, device: str) -> None:
        """Open the model; ``device`` is the CPU."""
        del device
        self.session = load_session()
        self.labels = load_labels()

    def decode_request(self, request: Request) -> Array:
        """Preprocess the image of a form, which LitServe passes where ``Request`` is asked for, to float32[1,28,28]."""
        try:
            return prepare(Image.open(request["image"].file))
        except (OSError, ValueError) as error:
            raise HTTPException(422, f"This image cannot be read: {error}") from error

    def predict(self, x: Array) -> Array:
        """Compute logits float32[10] of an image float32[1,28,28]."""
        return predict(self.session, x[None])[0]

    def encode_response(self, output: Array) -> dict[str, Any]:
        """Convert logits float32[10] to the answer."""
        return answer(output, self.labels)


def main(port: int) -> None:
    """Serve until SIGTERM, with as many HTTP processes as workers, and ZeroMQ between them as LitServe advises."""
    server = litserve.LitServer(Digits(api_path="/classify"), accelerator="cpu", workers_per_device=WORKERS, fast_queue=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # LitServe ends its processes after an interrupt only
    options: dict[str, Any] = {"access_log": False, "loop": "uvloop", "http": "httptools"}
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False, **options)


if __name__ == "__main__":
    main(int(sys.argv[1]))
