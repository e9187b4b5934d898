"""What marks and grades: exercises, students' notebooks, the grader.

A module a job: `marks` is where an exercise imports from; `student` writes
the notebooks of exercises, `grader` grades those that come back.
"""
from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {
    "checking": ["check"],
    "fingerprints": ["array_hash", "check_hash", "check_scalar",
                     "check_value", "value_hash"],
    "vectorised": ["check_vectorised", "loops_in"],
}, rooms=["assertions", "channel", "comparison", "diagnosis", "examiner",
          "exceptions", "grader", "guard", "guesses", "layer_problems",
          "layouts", "marks", "messages", "mistakes", "network_problems",
          "problems", "proxies", "pupil", "relations", "releases", "report",
          "reports", "samples", "sandbox", "student", "submissions",
          "supervision", "suspects", "trials", "wrapping"])
