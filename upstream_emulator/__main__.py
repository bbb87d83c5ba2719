"""`python -m upstream_emulator [--host 127.0.0.1] [--port 0]` serves until SIGTERM or SIGINT."""

from upstream_emulator.emulator import main

main()
