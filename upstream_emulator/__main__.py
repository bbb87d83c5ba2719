"""`python -m upstream_emulator [--host HOST] [--port 0] [replay FILE]` serves until SIGTERM or SIGINT."""

from upstream_emulator.emulator import main

main()
