"""What goes to stderr is one JSON object a line, whatever is in it."""

import json
import logging

from shared.runtime.log import JsonLines


def test_a_line_is_one_object_with_its_time_in_utc() -> None:
    record = logging.makeLogRecord({"name": "weir", "levelname": "INFO", "msg": "hello %s", "args": ("you",)})
    line = JsonLines().format(record)
    said = json.loads(line)
    assert said["message"] == "hello you"
    assert said["level"] == "info"
    assert said["time"].endswith("Z")


def test_nothing_that_is_logged_looks_like_another_line() -> None:
    text = 'a name\n{"level": "error", "message": "made up"}\r\x1b[31m\u2028'
    line = JsonLines().format(logging.makeLogRecord({"msg": "%s", "args": (text,), "levelname": "INFO"}))
    assert "\n" not in line
    assert "\r" not in line
    assert "\x1b" not in line
    assert json.loads(line)["message"] == text
