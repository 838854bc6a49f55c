"""Stand-in data: generated, and always called synthetic."""
