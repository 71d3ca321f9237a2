"""The operator's pages, on top of actions and of what the API shows. They can do nothing that the API cannot.

Read `routes`: every address. `gate` lets operators in, `pages` draws, `live` follows a conversation without listening.
"""
