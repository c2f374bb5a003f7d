"""The processes: the watchdog and its two children, and how they are started."""
