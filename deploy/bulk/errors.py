"""Why a run ends; each message says what was wrong and what to do."""


class InputError(Exception):
    """The input cannot be used."""


class OutputError(Exception):
    """The folder of results cannot be used."""


class EngineError(Exception):
    """Ray cannot be started or reached, or a worker failed."""
