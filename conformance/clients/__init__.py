"""Other people's clients than boto3: the AWS CLI of both major versions, the SDKs for JavaScript and for Rust."""
