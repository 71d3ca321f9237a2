"""Who is listening: the frames, the rooms of awake conversations, and two thin transports."""
