"""Metrics are read while a process begins: its file exists before it has a size."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import mmap_dict, multiprocess

from serving.bento.metric_files import skip_empty_files

# prometheus_client has no types there.
MmapedDict: Any = mmap_dict.MmapedDict
MultiProcessCollector: Any = multiprocess.MultiProcessCollector


def test_empty_file_of_a_beginning_process_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(MmapedDict(str(tmp_path / "counter_1.db"))) as counted:
        counted.write_value(mmap_dict.mmap_key("images_total", "images_total", [], [], "Images."), 3.0, 0.0)
    (tmp_path / "counter_2.db").touch()
    monkeypatch.setattr(MmapedDict, "read_all_values_from_file", MmapedDict.read_all_values_from_file)
    skip_empty_files()
    (family,) = MultiProcessCollector(None, str(tmp_path)).collect()
    assert [(sample.name, sample.value) for sample in family.samples] == [("images_total", 3.0)]
