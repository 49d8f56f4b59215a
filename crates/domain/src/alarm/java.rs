//! Numbers and times as CloudWatch writes them into state reasons (section 6.5).

use std::fmt;

use crate::time::Timestamp;

/// A number as Java's `Double.toString` prints it: `45.0`, `1.0E7`, `0.001`, `1.0E-4`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JavaDouble(pub f64);

/// Java prints plain decimals from here …
const PLAIN_FROM: f64 = 1e-3;
/// … to below here, and powers of ten beyond.
const PLAIN_TO: f64 = 1e7;

impl fmt::Display for JavaDouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, size) = (self.0, self.0.abs());
        if value.is_nan() {
            return out.write_str("NaN");
        }
        if value.is_infinite() {
            return out.write_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
        }
        // Rust's debug form has at least one digit after the point, and no exponent in this range.
        if size == 0.0 || (PLAIN_FROM..PLAIN_TO).contains(&size) {
            return write!(out, "{value:?}");
        }
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let point = if digits.contains('.') { "" } else { ".0" };
        write!(out, "{digits}{point}E{exponent}")
    }
}

/// `17/09/26 02:53:20`, UTC.
pub(super) fn short_date(at: Timestamp) -> impl fmt::Display {
    instant(at).strftime("%d/%m/%y %H:%M:%S")
}

/// `2026-09-17T03:03:36.050+0000`.
pub(super) fn long_date(at: Timestamp) -> impl fmt::Display {
    instant(at).strftime("%Y-%m-%dT%H:%M:%S.%3f+0000")
}

/// Reads what [`long_date`] writes, with any offset.
pub(super) fn read_long_date(raw: &str) -> Option<Timestamp> {
    let read = jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", raw);
    read.ok().map(|at| Timestamp::from_millis(at.as_millisecond()))
}

/// Server time that lies beyond what a calendar has is shown as its edge.
fn instant(at: Timestamp) -> jiff::Timestamp {
    let edge = if at.as_millis() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(edge)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_printed_as_java_does() {
        // Section 6.5, and Double.toString's documentation.
        let rows = [
            (45.0, "45.0"),
            (0.293_068_826_198_577_9, "0.2930688261985779"),
            (1e7, "1.0E7"),
            (9_999_999.0, "9999999.0"),
            (9_999_999.5, "9999999.5"),
            (15_075_595_059.2, "1.50755950592E10"),
            (0.001, "0.001"),
            (1e-4, "1.0E-4"),
            (9.99e-4, "9.99E-4"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (-21.5, "-21.5"),
            (-1e7, "-1.0E7"),
            (1e308, "1.0E308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, text) in rows {
            assert_eq!(JavaDouble(value).to_string(), text);
        }
    }

    #[test]
    fn dates_have_both_forms() {
        // Section 6.5: queryDate, and the datapoint of an OK reason.
        let at = Timestamp::from_millis(1_789_614_216_050);
        assert_eq!(long_date(at).to_string(), "2026-09-17T03:03:36.050+0000");
        assert_eq!(short_date(at).to_string(), "17/09/26 03:03:36");
        assert_eq!(
            long_date(Timestamp::from_millis(-1)).to_string(),
            "1969-12-31T23:59:59.999+0000"
        );
        for far in [i64::MIN, i64::MAX] {
            assert!(!long_date(Timestamp::from_millis(far)).to_string().is_empty());
        }
        for (raw, read) in [
            ("2026-09-17T03:03:36.050+0000", Some(at)),
            ("2026-09-17T05:03:36.050+0200", Some(at)),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(read_long_date(raw), read, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn a_number_reads_back(bits: u64) {
            let value = f64::from_bits(bits);
            let text = JavaDouble(value).to_string();
            let Ok(read) = text.parse::<f64>() else { panic!("{text}") };
            prop_assert!(read.to_bits() == value.to_bits() || (read.is_nan() && value.is_nan()));
            if value.is_finite() {
                prop_assert!(text.contains('.'));
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
            }
        }
    }
}
