"""What was seen: observations, feedback cycles, artifacts, mentoring, disputes, corrections, and their import."""
