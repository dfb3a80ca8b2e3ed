"""What has no room in shared memory lies on disk; a link in the store says where."""
