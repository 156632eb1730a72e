"""The digit model behind Ray Serve: ``python -m loadtests.baselines.ray_serve_app PORT``."""

import io
import signal
import sys
import tempfile
from typing import Any, Final

import ray
from fastapi import FastAPI, HTTPException, UploadFile
from PIL import Image
from ray import serve
from ray.serve._private import replica
from ray.serve.schema import LoggingConfig

from loadtests.baselines.usual import answer, load_labels, load_session, predict, prepare

REPLICAS: Final = 2

app = FastAPI(title="Digits")


def listen_on_loopback() -> None:
    """Bind the gRPC server of this replica to 127.0.0.1: Ray binds it to every address, and has no setting for it."""
    add_port = replica.add_port_to_grpc_server
    replica.add_port_to_grpc_server = lambda server, address: add_port(server, address.replace("[::]", "127.0.0.1"))


@serve.deployment(num_replicas=REPLICAS, max_ongoing_requests=100)
@serve.ingress(app)
class Digits:
    """Classifies images over HTTP, in each of the replicas."""

    def __init__(self) -> None:
        listen_on_loopback()
        self.session = load_session()
        self.labels = load_labels()

    @app.post("/classify")
    async def classify(self, image: UploadFile) -> dict[str, Any]:
        """Classify one image."""
        try:
            tensor = prepare(Image.open(io.BytesIO(await image.read())))
        except (OSError, ValueError) as error:
            raise HTTPException(422, f"This image cannot be read: {error}") from error
        return answer(predict(self.session, tensor[None])[0], self.labels)


def main(port: int) -> None:
    """Serve on a Ray of this machine alone until SIGTERM."""
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp") as scratch:  # paths of sockets are short
        ray.init(
            address="local", num_cpus=REPLICAS, num_gpus=0, include_dashboard=False, log_to_driver=False, _temp_dir=scratch
        )
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # in place of Ray's, which exits at once
        try:
            serve.start(http_options={"host": "127.0.0.1", "port": port})
            serve.run(Digits.bind(), logging_config=LoggingConfig(enable_access_log=False))
            signal.pause()
        except KeyboardInterrupt:
            ray.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]))
