"""What we call: the only outgoing client, and the worker that delivers what is owed."""
