"""The transformer, its conditions and its recurrent forms. It knows rows of ids only."""
