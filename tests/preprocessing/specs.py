"""Input specifications of models as in the project."""

from preprocessing import Geometry, InputSpec, Normalisation

MNIST = InputSpec(
    height=28,
    width=28,
    geometry=Geometry(fit_box=20, centring="mass", polarity="light_on_dark"),
    normalisation=Normalisation(),
)
FASHION = InputSpec(
    height=28,
    width=28,
    geometry=Geometry(subject="object", fit_box=28, centring="box", polarity="light_on_dark"),
    normalisation=Normalisation(),
)
