"""The Grafana dashboard of ``panels`` as JSON, built with Grafana's own library."""

import json
from typing import Final

from grafana_foundation_sdk.builders import common, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import BigValueGraphMode, StackingMode
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from deploy.monitoring.panels import ROWS
from deploy.monitoring.queries import PanelSpec

WIDTH: Final = 24  # of Grafana's grid
HEIGHT: Final = 8
SINGLE_HEIGHT: Final = 4
# Whichever Prometheus the variable names.
DATA_SOURCE: Final = DataSourceRef("prometheus", "${datasource}")
ALL: Final = VariableOption(selected=True, text="All", value="$__all")


def dashboard_json() -> str:
    """The dashboard, as Grafana reads it from a file."""
    dashboard = (
        builders.Dashboard("Image classifier")
        .uid("image-classifier")
        .tags(["image-classifier"])
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time("now-3h", "now")
        .refresh("30s")
        .readonly()
        .with_variable(builders.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(_variable("namespace", "label_values(image_classifier_images_in_flight, namespace)"))
        .with_variable(_variable("model", "label_values(image_classifier_images_total, model)"))
    )
    for title, panels in ROWS.items():
        dashboard = dashboard.with_row(builders.Row(title))
        for panel in panels:
            dashboard = dashboard.with_panel(_single(panel) if panel.single else _graph(panel))
    return json.dumps(dashboard.build(), cls=JSONEncoder, indent=1, sort_keys=True) + "\n"


def _variable(name: str, query: str) -> builders.QueryVariable:
    return (
        builders.QueryVariable(name)
        .label(name)
        .datasource(DATA_SOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(ALL)
    )


def _graph(spec: PanelSpec) -> timeseries.Panel:
    panel = timeseries.Panel().title(spec.title).description(spec.description).unit(spec.unit).datasource(DATA_SOURCE)
    if spec.stacked:
        panel = panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL)).fill_opacity(30)
    for query in _queries(spec):
        panel = panel.with_target(query)
    return panel.height(HEIGHT).span(WIDTH // 3)


def _single(spec: PanelSpec) -> stat.Panel:
    panel = stat.Panel().title(spec.title).description(spec.description).unit(spec.unit).datasource(DATA_SOURCE)
    for query in _queries(spec):
        panel = panel.with_target(query)
    return panel.graph_mode(BigValueGraphMode.AREA).height(SINGLE_HEIGHT).span(WIDTH // 4)


def _queries(spec: PanelSpec) -> list[Dataquery]:
    return [
        Dataquery().expr(query.expression).legend_format(query.legend).ref_id(chr(ord("A") + index)).range()
        for index, query in enumerate(spec.queries)
    ]
