"""dash_brain in place of the caches and back ends of other libraries, one module for each."""
