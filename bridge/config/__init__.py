"""Every setting, declared once: the configuration file and the command-line flags."""
