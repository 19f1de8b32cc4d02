"""The semantic cache: which stored answer, if any, may be served to this question.

The order of the house, lowest first; a module imports only from lines above its own:

    normalize vetoes decision policy index        pure: no Django, no network, no clock of their own
    index_large                                   above some 20,000 vectors: candidates first, then exact
    embedding and embedding_*                     text -> unit vector, on a thread of its own
    models
    vector_rows snapshots partitions replica      vectors of a process: from rows and disk into indexes
    store inflight                                lookups, storing back, waiting for the same question
    admin tasks                                   callers

One unit of similarity everywhere: cosine, bigger is better.
"""
