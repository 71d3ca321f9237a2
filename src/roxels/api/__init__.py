"""The door: REST for customers' servers, and the few calls that a browser makes to be let in."""
