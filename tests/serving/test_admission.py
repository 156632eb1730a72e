"""What a service takes on at a time, counted over its workers."""

import subprocess
import sys
from pathlib import Path

import pytest

from serving.admission import FILE, Admission
from serving.errors import Problem
from tests.processes import ROOT


def test_as_much_as_the_limit_and_no_more() -> None:
    admission = Admission.shared(2, None, 0, 2)
    with admission.work(1), admission.work(1):
        with pytest.raises(Problem, match="as many images as it may") as refused, admission.work(1):
            pytest.fail("one too many")
        assert refused.value.status == 429
        assert admission.full
    assert not admission.full
    assert admission.working == 0


def test_many_images_are_let_in_where_there_is_any_room() -> None:
    admission = Admission.shared(2, None, 0, 2)
    with admission.work(1), admission.work(200):
        assert admission.working == 201
        assert admission.full
    assert admission.working == 0


def test_what_fails_is_no_longer_counted() -> None:
    admission = Admission.shared(1, None, 0, 2)
    with pytest.raises(ZeroDivisionError), admission.work(1):
        raise ZeroDivisionError
    assert not admission.full


def test_workers_count_together_and_a_new_one_forgets_what_the_dead_left(tmp_path: Path) -> None:
    first, second = Admission.shared(2, tmp_path, 0, 2), Admission.shared(2, tmp_path, 1, 2)
    with first.work(1):
        work = f"work = Admission.shared(2, Path({str(tmp_path)!r}), 1, 2).work(1)"
        code = f"import os; from serving.admission import *; {work}; work.__enter__(); os._exit(9)"
        assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 9
        assert first.working == second.working == 2
        assert first.full and second.full
        assert Admission.shared(2, tmp_path, 1, 2).working == 1
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
