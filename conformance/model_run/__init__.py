"""The model-driven run: every member of every operation but IAM's, sent well and badly, and what the server answers.

The variants and what each must be answered with come from AWS's service models in `models/` and from the grammar of
AWS's error texts (reference/sagemaker-hosting.md, section 0), in Python. Nothing here may be taken from the server's
own validation: two readings of one model are worth something only while they are independent.

A service or an operation that is added to `models/` is run from then on; nothing here names operations but where a good
input needs more than the model says.

`python -m model_run` (in `conformance/`) prints the table; `--accept` writes `docs/conformance.md`.
"""
