"""`python -m demo` shows the gateway at work, `python -m demo --serve` keeps it running."""

from demo.command import main

raise SystemExit(main())
