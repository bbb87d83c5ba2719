"""The upstream emulator: stands in for chatglm.cn on a real socket, for the demonstration, the tests and
the bench.

Written from the protocol notes alone; it shares no code with `app`, so that neither proves itself.
"""
