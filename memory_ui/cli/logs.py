"""One line an event, on standard error."""

import json
import logging
import sys
from datetime import UTC, datetime

_STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}


class Lines(logging.Formatter):
    """Time, level, event, then what was said with it, as JSON values."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the message holds."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        given = {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        said = " ".join(f"{name}={json.dumps(value, default=str)}" for name, value in given.items())
        line = f"{when} {record.levelname.lower():7} {record.getMessage()} {said}".rstrip().replace("\n", " ")
        if record.exc_info:
            line += " | " + self.formatException(record.exc_info).replace("\n", " | ")
        return line


def set_up(level: str) -> None:
    """Log to standard error; libraries only when something is wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("core", "jobs", "memory_ui"):
        logging.getLogger(name).setLevel(level)
