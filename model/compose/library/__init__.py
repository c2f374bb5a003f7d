"""Music that exists already, fitted to the plan."""
