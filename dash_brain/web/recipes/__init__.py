"""Records of memoized calls, and their use as recipes: an evicted result is computed again."""
