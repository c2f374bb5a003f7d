"""What an ear takes from a score: measures of the rendered sound and of the notes."""
