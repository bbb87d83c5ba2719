"""What gunicorn serves."""

import os

from app import create_app
from app.config import Settings

app = create_app(Settings.from_env(os.environ))
