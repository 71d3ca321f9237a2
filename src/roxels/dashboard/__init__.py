"""The operator's pages, on top of actions and of what the API shows; never on storage."""
