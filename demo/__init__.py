"""The demonstration: the gateway as a process of its own, in front of the upstream emulator."""
