"""What marks and grades: exercises, students' notebooks, the grader."""
