"""What marks and grades: the tutor of the exercises, and the grader.

A module a job: `marks` is where an exercise imports from; `grader` grades the
notebooks that come back.
"""
from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {
    "checking": ["check"],
    "fingerprints": ["array_hash", "check_hash", "check_scalar",
                     "check_value", "value_hash"],
    "vectorised": ["check_vectorised", "loops_in"],
}, rooms=["assertions", "channel", "comparison", "diagnosis", "error_words",
          "examiner", "exceptions", "grader", "guard", "guesses",
          "layer_problems", "layouts", "marks", "messages", "mistakes",
          "network_problems", "problems", "proxies", "pupil", "relations",
          "releases", "report", "reports", "returned", "samples", "sandbox",
          "sizes", "submissions", "supervision", "suspects", "trials",
          "wrapping"])
