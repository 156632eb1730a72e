"""``python -m training.model_pages``: write docs/models/NAME.md for each model of the catalogue from its card."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from models.card import CARD_FILE, MODEL_FILE, Card, CascadeCard, SequenceCard, read_card
from models.card_fields import Metrics, SequenceMetrics
from models.store import card_folders

ROOT: Final = Path(__file__).parent.parent
DOCS: Final = ROOT / "docs" / "models"
NO_METRICS: Final = "No metrics."


def render_page(card: Card, folder: Path) -> str:
    """Render a model's page in Markdown: metrics, classes, provenance, learning curve."""
    lines = [f"# {card.name} {card.version}", "", f"{card.title}. {_description(card, folder)}", ""]
    if not card.metrics:
        lines.append(NO_METRICS)
    elif isinstance(card, SequenceCard):
        lines += [
            "| images | characters | n | exact match | character error rate |",
            "| --- | ---: | ---: | ---: | ---: |",
            *(_sequence_row(metrics) for metrics in card.metrics),
        ]
    else:
        lines += [
            "| images | n | accuracy | balanced | calibration error |",
            "| --- | ---: | ---: | ---: | ---: |",
            *(_row(metrics) for metrics in card.metrics),
            "",
            "Each class of the first test set; the plot shows the confusion matrix in %:",
            "",
            "| class | n | precision | recall |",
            "| --- | ---: | ---: | ---: |",
            *(
                f"| {label} | {one.n:,} | {one.precision:.2%} | {one.recall:.2%} |"
                for label, one in card.metrics[0].per_class.items()
            ),
            "",
            f"![Confusion matrix]({card.name}.png)",
        ]
    lines += ["", "## Provenance", "", *(f"- {text}" for text in card.provenance.data)]
    provenance = card.provenance
    lines += ["", f"Recipe `{provenance.recipe}`, seed {provenance.seed}, revision `{provenance.revision}`. {card.licence}."]
    if (folder / "training.png").is_file():
        lines += ["", f"![Learning curve](../../models/{card.name}/training.png)"]
    return "\n".join(lines) + "\n"


def _description(card: Card, folder: Path) -> str:
    if isinstance(card, SequenceCard):
        return f"A sequence: `{card.reader}` reads each character, in lines; {len(card.labels)} labels."
    if isinstance(card, CascadeCard):
        then = ", ".join(f"`{tag}` for a {category}" for category, tag in card.then.items())
        return f"A cascade: `{card.first}` first, then {then}; {len(card.labels)} labels."
    geometry, rejection = card.input.placement, card.rejection
    return (
        f"{len(card.labels)} labels; {geometry.subject} in a box of {geometry.fit_box} pixels, centred by {geometry.centring} "
        f"in {card.input.width}x{card.input.height}; {(folder / MODEL_FILE).stat().st_size / 1e6:.2f} MB. Logits are divided "
        f"by {card.calibration.temperature}; an image whose {rejection.score} is below {rejection.threshold} is rejected"
        f"{', and so is an image of several characters' if geometry.subject == 'ink' and card.single else ''}."
    )


def _row(metrics: Metrics) -> str:
    return (
        f"| {metrics.dataset}, {metrics.split} | {metrics.n:,} | {metrics.accuracy:.2%} | {metrics.balanced_accuracy:.2%} "
        f"| {metrics.ece:.2%} |"
    )


def _sequence_row(metrics: SequenceMetrics) -> str:
    length = "several" if metrics.length is None else metrics.length
    return (
        f"| {metrics.dataset}, {metrics.split} | {length} | {metrics.n:,} | {metrics.exact_match:.2%} "
        f"| {metrics.character_error_rate:.2%} |"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a page for each model."""
    parser = argparse.ArgumentParser(prog="python -m training.model_pages", description=__doc__)
    parser.add_argument("--out", type=Path, default=DOCS, help="default: docs/models")
    out: Path = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    for folder in card_folders():
        card = read_card(folder / CARD_FILE)
        (out / f"{card.name}.md").write_text(render_page(card, folder), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
