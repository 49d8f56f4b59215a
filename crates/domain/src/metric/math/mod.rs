//! Metric math: expressions over series (`reference/autoscaling-and-cloudwatch.md`, section 6.6).
