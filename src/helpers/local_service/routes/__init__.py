"""The HTTP routes, one module for each group of OpenAI's API."""
