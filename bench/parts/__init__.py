"""What is measured, a file for each kind: `measure(options)` finds figures, `rows(found)` says what they mean."""
