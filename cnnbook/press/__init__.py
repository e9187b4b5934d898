"""What makes the book, a module a job.

`manifest` says which pages there are and `editions` what each language shows;
`figures` draws; `execution` runs the notebooks and `export` writes the
package; `numbering` numbers everything, `redirects` keeps old addresses,
`apps`, `visits` and `scripts` carry apps and data; `staging` gathers it all in
projects; `markdown`, `pandoc` and `quarto` make the pages, `search` and
`links` finish and check them, and `book` does all of it in order; `project`
does it for Quarto where Quarto begins. In an open page, `kernel` runs the
cells, with `displays`, `streams`, `inline` and, for what a page cannot do,
`refusals`.
"""
