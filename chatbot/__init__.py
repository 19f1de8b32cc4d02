"""The site and the conversation.

`answering.py` is the table of contents of the product: one question from top to bottom. The order of
the house, lowest first; a module imports only from lines above its own:

    models frames
    guard markers prompts                 pure text decisions
    transcript knowledge configuration    rows in, frozen values out
    answering                             the story of one question
    supervisor watchers                   running answers, and who is looking at them
    engines runtime                       one process's parts, built once; a change of the embedding model
    reembedding                           that change prepared and compared
    consumers views admin tasks           callers
"""
