"""What a value, a function or a class is, written into a hash: by content and code, never by address."""
