"""The semantic cache: which stored answer, if any, may be served to this question.

The order of the house, lowest first; a module imports only from lines above its own:

    normalize vetoes decision policy index        pure: no Django, no network, no clock of their own
    embedding                                     text -> unit vector, on a thread of its own
    models
    store inflight                                lookups, storing back, waiting for the same question
    admin tasks                                   callers

One unit of similarity everywhere: cosine, bigger is better.
"""
