"""What gunicorn serves."""

import logging
import os
import sys

from app import logs
from app.config import InvalidSetting, Settings, list_unknown
from app.factory import create_app
from app.state import StateInUse, StateTooNew

# With this exit code of its worker gunicorn gives up; with any other it would try again for ever.
_GIVE_UP = 3

try:
    app = create_app(Settings.from_env(os.environ))
    logs.guard_stderr()
    logs.take_foreign_lines()
    logs.leave_out_origins()
    for sentence in list_unknown(os.environ):
        logging.getLogger("app").warning(sentence)
except (InvalidSetting, StateInUse, StateTooNew) as exc:
    sys.stderr.write(f"{exc}\n")
    raise SystemExit(_GIVE_UP) from None
