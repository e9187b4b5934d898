"""What marks and grades: exercises, students' notebooks, the grader.

A module a job: `marks` is where an exercise imports from; `student` writes
the notebooks of exercises, `grader` grades those that come back.
"""
from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {
    "checking": ["array_hash", "check", "check_hash", "check_scalar"],
    "vectorised": ["check_vectorised", "loops_in"],
}, rooms=["channel", "comparison", "diagnosis", "examiner", "grader", "marks",
          "messages", "mistakes", "problems", "pupil", "releases", "reports",
          "sandbox", "student", "submissions", "supervision"])
