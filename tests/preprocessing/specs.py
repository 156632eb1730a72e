"""Input specifications of models as in the project."""

from preprocessing import Geometry, InputSpec, Normalisation

MNIST = InputSpec(
    size=28,
    channels=1,
    geometry=Geometry(fit_box=20, centring="mass", polarity="light_on_dark"),
    normalisation=Normalisation(mean=0, std=1),
)
FASHION = InputSpec(
    size=28,
    channels=1,
    geometry=Geometry(subject="object", fit_box=28, centring="box", polarity="light_on_dark"),
    normalisation=Normalisation(mean=0, std=1),
)
