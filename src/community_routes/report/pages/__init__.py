"""The sections and pages that people read, each number with its table and row."""
