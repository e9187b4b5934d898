"""What makes the book: editions, figures, execution, renderers, links."""
