"""Travel times and opportunities -> scores."""
