"""Writes a metric's value straight into the file of its process: a request changes more than twenty of them.

Patch: ``inc`` and ``set`` of prometheus_client's values in files. Reason: they ask the system for the process id each time, and
look the place of the value up by its name, which together takes longer than the rest of a metric. Upstream issue: none known.
Can go when prometheus_client notices forks by ``os.register_at_fork``. Test: tests/serving/bento/test_metric_values.py.
"""

import os
from struct import Struct
from threading import Lock
from typing import Any, Final

from prometheus_client import values

# As prometheus_client.mmap_dict writes them: the value, and its timestamp.
_pack: Final = Struct("dd").pack
_BYTES: Final = 16
_lock: Final = Lock()


def write_directly() -> None:
    """Have values that are kept in files be written without looking anything up; does nothing where they are kept in memory."""
    value_class: Any = values.ValueClass
    if not value_class._multiprocess:
        return
    # After a fork any of the untouched methods gives all values files of their own. It needs a value of this class.
    any_value: list[Any] = []

    def inc(self: Any, amount: float) -> None:
        with _lock:
            _write(self, self._value + amount, 0.0)

    def set_to(self: Any, value: float, timestamp: float | None = None) -> None:
        with _lock:
            _write(self, value, timestamp or 0.0)

    def _write(self: Any, value: float, timestamp: float) -> None:
        self._value, self._timestamp = value, timestamp
        file = self._file
        if self.place[0] is not file:
            if not any_value:
                any_value.append(self)
            self.place = file, file._positions[self._key]
        at = self.place[1]
        file._m[at : at + _BYTES] = _pack(value, timestamp)

    def follow_fork() -> None:
        for one in any_value:
            one.get()

    value_class.place = (None, 0)
    value_class.inc, value_class.set = inc, set_to
    os.register_at_fork(after_in_child=follow_fork)
