"""The case studies' graders: one module a case, each judging replies by the numbered rules of its style guide."""
