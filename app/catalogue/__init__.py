"""Every sentence that a failure is told in, English and Chinese, and what to do about it. Pure.

    credential, account, upstream, file, path, request, load      the sentences, and the codes they belong to
    code        all codes: a name for a table, when it happens, what to do
    message     the two languages, and which of them are told

Where something fails stands only which sentence it is, and the numbers:

    raise AccountsBusy(ALL_ANSWERING.fill(count=3), retry_after_seconds=5.0)

API, page and doctor take their words from here, and the tables of docs/errors.md are made of it. Programs
match the English sentences: a first sentence that was published stays as it is, what is new comes behind it.

What is not here: where in a request a value is wrong, and how exactly an upstream broke its protocol. Those
sentences stand beside the check that finds it, in English; the Chinese one behind them is that of their code.
"""
