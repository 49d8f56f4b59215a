//! The texts of reference/sagemaker-hosting.md, word by word.
