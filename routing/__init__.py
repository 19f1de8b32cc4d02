"""Which model answers, and getting an answer out of it alive.

The order of the house, lowest first; a module imports only from lines above its own:

    errors specs
    tokens buckets breaker retry          pure arithmetic, clock and randomness passed in
    vendors                               sans-I/O: request out, events in
    models
    snapshot (configuration rows -> frozen specs)   rules   ledger   client
    gate   classifier
    dispatch                              the fallback chain
    admin tasks checks                    callers
"""
