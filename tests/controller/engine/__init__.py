"""The engine's rules, one test each. `house` is a controller to play with; reading order as in the engine."""
