"""Roxels: conversations that know who they talk to and carry on exactly where they left off."""
