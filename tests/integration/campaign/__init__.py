"""A campaign of faults: seeded random schedules of them against the real programs, and an oracle that knows what may be lost.

    world.py     the programs, the namespaces and small disks that they run in
    devices.py   the simulated devices: every answer carries its own number, so that none can be taken for another
    shim.c       preloaded: power loss, system calls that fail, a clock that steps
    proxy.py     the way to the store, which can answer late, wrongly, partly or not at all
    faults.py    the kinds of fault; schedule.py draws them
    account.py   what was on disk at each strike
    oracle.py    the laws; knows nothing of our programs but the wire contract and the tables' names
    run.py       a run: strikes, checkpoints, the table

Run it by `tests/run --filter campaign [--long]`, or by hand as CONTRIBUTING.md says.
"""
