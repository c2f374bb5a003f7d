"""The daemon and the command line. Importing it loads neither torch nor cv2."""
