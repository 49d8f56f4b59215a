//! The functions by name, how many arguments each takes, and the words that some take.

/// Functions that read what Tidegate does not have: other metrics by a search, models of anomalies, quotas.
const REFUSED: [&str; 6] = [
    "SEARCH",
    "ANOMALY_DETECTION_BAND",
    "INSIGHT_RULE_METRIC",
    "SERVICE_QUOTA",
    "DB_PERF_INSIGHTS",
    "LAMBDA",
];

macro_rules! functions {
    ($($variant:ident = $name:literal, $fewest:literal to $most:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Function {
            $($variant,)+
        }

        impl Function {
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$variant,)+];

            pub(super) fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }

            pub(super) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            pub(super) const fn takes(self, arguments: usize) -> bool {
                match self {
                    $(Self::$variant => $fewest <= arguments && arguments <= $most,)+
                }
            }
        }
    };
}

functions! {
    Sum = "SUM", 1 to 1;
    Avg = "AVG", 1 to 1;
    Min = "MIN", 1 to 1;
    Max = "MAX", 1 to 1;
    StdDev = "STDDEV", 1 to 1;
    DatapointCount = "DATAPOINT_COUNT", 1 to 1;
    MetricCount = "METRIC_COUNT", 1 to 1;
    Abs = "ABS", 1 to 1;
    Ceil = "CEIL", 1 to 1;
    Floor = "FLOOR", 1 to 1;
    Log = "LOG", 1 to 1;
    Log10 = "LOG10", 1 to 1;
    Diff = "DIFF", 1 to 1;
    DiffTime = "DIFF_TIME", 1 to 1;
    Rate = "RATE", 1 to 1;
    RunningSum = "RUNNING_SUM", 1 to 1;
    Fill = "FILL", 2 to 2;
    If = "IF", 2 to 3;
    Period = "PERIOD", 1 to 1;
    TimeSeries = "TIME_SERIES", 1 to 1;
    First = "FIRST", 1 to 1;
    Last = "LAST", 1 to 1;
    Slice = "SLICE", 2 to 3;
    Sort = "SORT", 3 to 4;
    RemoveEmpty = "REMOVE_EMPTY", 1 to 1;
    Minute = "MINUTE", 1 to 1;
    Hour = "HOUR", 1 to 1;
    Day = "DAY", 1 to 1;
    Date = "DATE", 1 to 1;
    Month = "MONTH", 1 to 1;
    Year = "YEAR", 1 to 1;
    Epoch = "EPOCH", 1 to 1;
}

/// The name of a function that CloudWatch has and Tidegate refuses.
pub(super) fn refused(name: &str) -> Option<&'static str> {
    REFUSED.into_iter().find(|refused| *refused == name)
}

/// What stands bare in `FILL(m1, REPEAT)` and `SORT(METRICS(), AVG, DESC)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Repeat,
    Linear,
    Ascending,
    Descending,
    /// One of `AVG`, `MIN`, `MAX` and `SUM`: what `SORT` goes by.
    By(Function),
}

impl Word {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "REPEAT" => Some(Self::Repeat),
            "LINEAR" => Some(Self::Linear),
            "ASC" => Some(Self::Ascending),
            "DESC" => Some(Self::Descending),
            "AVG" | "MIN" | "MAX" | "SUM" => Function::named(name).map(Self::By),
            _ => None,
        }
    }
}
