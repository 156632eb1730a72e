"""The BentoML service and its routes; what they do lives in serving/."""

from pathlib import Path

from bentoml import api as route
from bentoml import on_shutdown, service
from bentoml.models import BentoModel
from starlette.requests import Request
from starlette.responses import Response

from serving.catalogue import Catalogue
from serving.errors import ProblemMiddleware
from serving.routes import catalogue_app, respond
from serving.schemas import Classification, Explanation
from serving.startup import checked_cards, load_settings, service_options
from serving.upload import ImageInput

settings = load_settings()
cards = checked_cards()


@service(**service_options(settings))
class ImageClassifier:
    """Small image classifiers: a picture in, a label with calibrated confidence out."""

    digits = BentoModel(cards["digits"].tag)

    def __init__(self) -> None:
        self.catalogue = Catalogue([Path(self.digits.path)], settings)

    @route(route="/classify", input_spec=ImageInput, output_spec=Classification)
    async def classify(self, image: Request, **_options: object) -> Response:
        """Classify one image."""
        return await respond(image, self.catalogue.classify, settings)

    @route(route="/explain", input_spec=ImageInput, output_spec=Explanation)
    async def explain(self, image: Request, **_options: object) -> Response:
        """Classify one image and show how the answer came about."""
        return await respond(image, self.catalogue.explain, settings)

    @on_shutdown
    async def drain(self) -> None:
        """Answer what is queued before the worker ends."""
        await self.catalogue.close()


ImageClassifier.mount_asgi_app(catalogue_app(), path="/")
ImageClassifier.add_asgi_middleware(ProblemMiddleware)
