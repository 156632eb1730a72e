"""Connects a session with Locust: importing this module adds the generator's options to it and listens to its events."""

import logging
from typing import Any, Final

import gevent
from locust import events
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from loadtests.generator.mixes import MixError
from loadtests.generator.options import add_options
from loadtests.generator.results import VOID
from loadtests.generator.session import DONE, Session

logger: Final = logging.getLogger("loadtests")

# The message of a worker that cannot begin, with the reason.
FAILED: Final = "load_failed"


@events.init_command_line_parser.add_listener
def _add_options(parser: Any) -> None:
    add_options(parser)


@events.init.add_listener
def _prepare(environment: Environment, **_: Any) -> None:
    """Choose the number of users, which is one a process in an open loop; hear when workers have ended."""
    parsed, runner = environment.parsed_options, environment.runner
    assert parsed is not None
    if Session.scenario.loop == "open":
        parsed.num_users = parsed.spawn_rate = max(1, parsed.expect_workers) if isinstance(runner, MasterRunner) else 1
    elif parsed.num_users is None:
        parsed.num_users = parsed.spawn_rate = Session.scenario.users
    if isinstance(runner, MasterRunner):
        runner.register_message(DONE, _worker_ended)
        runner.register_message(FAILED, lambda msg, **_: _give_up(environment, msg.data["reason"]))


def _worker_ended(msg: Any, **_: Any) -> None:
    session = Session.current
    session.merge(msg.data)
    session.finished += 1
    if session.finished == session.processes:
        gevent.spawn(session.finish)


@events.test_start.add_listener
def _start(environment: Environment, **_: Any) -> None:
    runner = environment.runner
    assert runner is not None
    try:
        Session.current = Session(environment)
        if not isinstance(runner, MasterRunner):
            Session.current.prepare()
    except MixError as error:
        if isinstance(runner, WorkerRunner):
            runner.send_message(FAILED, {"reason": str(error)})
        else:
            _give_up(environment, str(error))


def _give_up(environment: Environment, reason: str) -> None:
    logger.error("%s", reason)
    environment.process_exit_code = VOID
    if hasattr(Session, "current"):
        Session.current.reported = True  # there is nothing to report
    assert environment.runner is not None
    gevent.spawn(environment.runner.quit)


@events.report_to_master.add_listener
def _report_to_master(data: dict[str, Any], **_: Any) -> None:
    if hasattr(Session, "current"):
        data["load"] = Session.current.document()


@events.worker_report.add_listener
def _worker_report(data: dict[str, Any], **_: Any) -> None:
    if "load" in data and hasattr(Session, "current"):
        Session.current.merge(data["load"])


@events.quitting.add_listener
def _quitting(environment: Environment, **_: Any) -> None:
    if hasattr(Session, "current") and isinstance(environment.runner, MasterRunner | LocalRunner):
        Session.current.report()
