"""Emulated tool calls, pure: what the prompt says of the tools, and how calls are read out of an answer.

The upstream knows nothing of a client's tools. `section` describes them in the prompt, in the form of
`dialect`; `detector` finds calls in the text of the answer; `arguments` reads and types what they carry by
the tool's schema; `correction` words the one question that a broken call is worth; `json_format` does the
same for answers that have to be JSON. No I/O, no clock, no randomness: both come in as arguments. Everything
here takes text of strangers, the client's schemas as well as the model's answer, so all work is linear or
bounded.
"""
