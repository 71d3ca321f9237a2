"""The door: keys, bodies, errors and JSON for everyone who calls us over REST."""
