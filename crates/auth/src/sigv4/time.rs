//! The one time format of SigV4, `20261123T094544Z`, and the HTTP dates that may stand for it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

use super::ascii;

/// 0000-01-01T00:00:00Z, and the last second that the calendar library takes in every time zone.
const RANGE: (i64, i64) = (-62_167_219_200, 253_402_207_200);

/// A moment as SigV4 writes it: always sixteen ASCII characters, always UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasicTime {
    text: [u8; 16],
    unix: i64,
}

impl BasicTime {
    /// Reads ISO 8601's basic format, `YYYYMMDDTHHMMSSZ`.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 16] = text.as_bytes().try_into().ok()?;
        let [y1, y2, y3, y4, mo1, mo2, d1, d2, b'T', h1, h2, mi1, mi2, s1, s2, b'Z'] = bytes else {
            return None;
        };
        let year =
            i16::from(pair(y1, y2)?).checked_mul(100)?.checked_add(i16::from(pair(y3, y4)?))?;
        let civil = DateTime::new(
            year,
            pair(mo1, mo2)?,
            pair(d1, d2)?,
            pair(h1, h2)?,
            pair(mi1, mi2)?,
            pair(s1, s2)?,
            0,
        )
        .ok()?;
        let unix = TimeZone::UTC.to_timestamp(civil).ok()?.as_second();
        Some(Self { text: bytes, unix })
    }

    /// Reads the date of an HTTP `Date` header, `Mon, 23 Nov 2026 09:45:44 GMT`.
    pub fn parse_http(text: &str) -> Option<Self> {
        Some(Self::from_unix(rfc2822::parse(text).ok()?.timestamp().as_second()))
    }

    /// Unix seconds; what lies outside the years 0 to 9999 becomes the nearest moment inside.
    pub fn from_unix(unix: i64) -> Self {
        let unix = unix.clamp(RANGE.0, RANGE.1);
        let civil = civil(unix);
        let (date, time) = (civil.date(), civil.time());
        let [y1, y2] = digits(date.year() / 100);
        let [y3, y4] = digits(date.year() % 100);
        let ([mo1, mo2], [d1, d2]) = (digits(date.month().into()), digits(date.day().into()));
        let ([h1, h2], [mi1, mi2]) = (digits(time.hour().into()), digits(time.minute().into()));
        let [s1, s2] = digits(time.second().into());
        let text = [y1, y2, y3, y4, mo1, mo2, d1, d2, b'T', h1, h2, mi1, mi2, s1, s2, b'Z'];
        Self { text, unix }
    }

    pub fn as_str(&self) -> &str {
        ascii(&self.text)
    }

    /// The date as a credential scope names it, `YYYYMMDD`.
    pub fn date(&self) -> &str {
        let [date @ .., _, _, _, _, _, _, _, _] = &self.text;
        ascii(date)
    }

    /// Unix seconds.
    pub fn unix(&self) -> i64 {
        self.unix
    }
}

fn civil(unix: i64) -> DateTime {
    TimeZone::UTC.to_datetime(Timestamp::from_second(unix).expect("clamped into the range"))
}

/// The two digits of a number below 100.
fn digits(number: i16) -> [u8; 2] {
    let digit = |number: i16| u8::try_from(number % 10).unwrap_or_default().saturating_add(b'0');
    [digit(number / 10), digit(number)]
}

fn pair(tens: u8, ones: u8) -> Option<i8> {
    let (tens, ones) = (char::from(tens).to_digit(10)?, char::from(ones).to_digit(10)?);
    i8::try_from(tens.checked_mul(10)?.checked_add(ones)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_basic_format_of_a_real_moment_is_a_time() {
        let noon = BasicTime::parse("20130609T100015Z").unwrap();
        assert_eq!((noon.unix(), noon.date()), (1_370_772_015, "20130609"));
        for wrong in [
            "201",
            "",
            "20130609T100015",
            "2013-06-09T10:00:15Z",
            "20130230T000000Z",
            "20131301T000000Z",
            "20130609T250000Z",
            "20130609t100015Z",
            "+0130609T100015Z",
            "20130609T1000\u{e9}Z",
        ] {
            assert_eq!(BasicTime::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn http_dates_of_both_zone_spellings_are_read() {
        for text in ["Mon, 23 Nov 2026 09:45:44 GMT", "Mon, 23 Nov 2026 09:45:44 -0000"] {
            assert_eq!(
                BasicTime::parse_http(text).map(|time| time.unix()),
                Some(1_795_427_144),
                "{text}"
            );
        }
        assert_eq!(BasicTime::parse_http("yesterday"), None);
    }

    proptest! {
        #[test]
        fn writing_then_reading_gives_the_same_moment(unix in -62_167_219_200_i64..=253_402_207_200) {
            let written = BasicTime::from_unix(unix);
            prop_assert_eq!(BasicTime::parse(written.as_str()), Some(written));
            prop_assert_eq!(written.unix(), unix);
        }

        #[test]
        fn no_number_and_no_text_panics(unix in any::<i64>(), text in ".{0,20}") {
            prop_assert_eq!(BasicTime::from_unix(unix).as_str().len(), 16);
            let _ = (BasicTime::parse(&text), BasicTime::parse_http(&text));
        }
    }
}
