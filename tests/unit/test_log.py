"""The log: lines for people or for a collector, with the pass and the custom resource that they are about."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from bastion_operator.correlation import correlation_id, resource
from bastion_operator.log import LOG_FORMAT, JsonLines, mark


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def within_a_pass() -> Iterator[None]:
    token, about = correlation_id.set("0a1b"), resource.set("BastionHost/net/hub")
    yield
    correlation_id.reset(token)
    resource.reset(about)


def _logger(stream: io.StringIO, formatter: logging.Formatter) -> logging.Logger:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(mark)
    logger = logging.Logger("bastion_operator.reconcile")  # noqa: LOG001 - one that no other test has handlers on
    logger.addHandler(handler)
    return logger


@pytest.mark.usefixtures("within_a_pass")
def test_a_json_line_names_the_pass_and_the_resource(stream: io.StringIO) -> None:
    _logger(stream, JsonLines()).warning("%s: planned: %s", "BastionHost/net/hub", 'Create "hub"\nand more')

    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert told.pop("time").endswith("Z")
    assert told == {
        "level": "warning",
        "logger": "bastion_operator.reconcile",
        "message": 'BastionHost/net/hub: planned: Create "hub"\nand more',
        "correlationID": "0a1b",
        "resource": "BastionHost/net/hub",
    }


def test_outside_of_passes_there_is_neither(stream: io.StringIO) -> None:
    _logger(stream, JsonLines()).info("ready")

    assert json.loads(stream.getvalue()).keys() == {"time", "level", "logger", "message"}


def test_what_nobody_foresaw_is_one_line_with_its_traceback(stream: io.StringIO) -> None:
    logger = _logger(stream, JsonLines())
    try:
        dict[str, str]()["hub"]
    except KeyError:
        logger.exception("again in 5 s")

    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["error"].endswith("KeyError: 'hub'")


@pytest.mark.usefixtures("within_a_pass")
def test_a_line_for_people_has_the_id_as_well(stream: io.StringIO) -> None:
    _logger(stream, logging.Formatter(LOG_FORMAT)).info("ready")

    assert stream.getvalue().endswith(" INFO bastion_operator.reconcile [0a1b] ready\n")
