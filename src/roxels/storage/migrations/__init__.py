"""Forward-only steps that bring an older database to `storage.schema`; a test compares where they end with it."""
