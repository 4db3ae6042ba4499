"""A simulated science park: Modbus TCP meters, counters and session boxes of two buildings.

    PYTHONPATH=tests /usr/bin/python3 -m sim serve --seed 7 --log answers.jsonl --ports-file ports.json
    PYTHONPATH=tests /usr/bin/python3 -m sim config --seed 7 --ports ports.json --out settings
    PYTHONPATH=tests /usr/bin/python3 -m sim history --seed 7 --gateway gw-a --from TIME --to TIME > gw-a.csv
    PYTHONPATH=tests /usr/bin/python3 -m sim record --csv FILE --log answers.jsonl --ports-file ports.json

Everything is a function of (seed, time): a later run, or `history`, gives the same registers at the same time. What
was answered stands in the answer log (sim.answers) before it is sent; tests compare with that and never with our
own programs' data. Nothing here shares code or tables with the programs under test.
"""
