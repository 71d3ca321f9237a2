"""Who speaks. Knows the domain and its own ports; no storage, no sockets."""
