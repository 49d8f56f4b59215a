//! Preconditions of reads and writes, apart from the protocol.

use super::error::BucketError;

/// What must hold of the object under a key before it is replaced or deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WriteCondition {
    /// Anything.
    #[default]
    None,
    /// If-None-Match: `*`.
    Absent,
    /// If-Match: `*`.
    Present,
    /// If-Match with an `ETag`, unquoted.
    Matches(String),
}

impl WriteCondition {
    /// `current`: the `ETag` of what is there.
    pub(super) fn check(&self, current: Option<&str>) -> Result<(), BucketError> {
        match (self, current) {
            (Self::None, _) | (Self::Absent, None) | (Self::Present, Some(_)) => Ok(()),
            (Self::Matches(wanted), Some(current)) if wanted == current => Ok(()),
            (Self::Absent, Some(_)) => Err(BucketError::Precondition("If-None-Match")),
            (Self::Present | Self::Matches(_), None) => Err(BucketError::NoSuchKey),
            (Self::Matches(_), Some(_)) => Err(BucketError::Precondition("If-Match")),
        }
    }
}

/// What the reader already has or insists on. Times are whole seconds, as HTTP's dates are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ReadCondition {
    pub(super) matching: Option<Tag>,
    pub(super) none_matching: Option<Tag>,
    pub(super) modified_since_secs: Option<i64>,
    pub(super) unmodified_since_secs: Option<i64>,
}

/// `*` or an `ETag`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Any,
    Is(String),
}

impl Tag {
    fn matches(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Is(tag) => tag == etag,
        }
    }
}

/// What a read condition comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Go,
    NotModified,
    Failed(&'static str),
}

impl ReadCondition {
    /// In the order of RFC 9110 section 13.2.2, which S3 follows: a tag wins over a date of the same direction.
    pub(super) fn check(&self, etag: &str, modified_ms: i64) -> Verdict {
        let modified = modified_ms.div_euclid(1000);
        match (&self.matching, self.unmodified_since_secs) {
            (Some(tag), _) if !tag.matches(etag) => return Verdict::Failed("If-Match"),
            (None, Some(since)) if modified > since => {
                return Verdict::Failed("If-Unmodified-Since");
            }
            _ => {}
        }
        match (&self.none_matching, self.modified_since_secs) {
            (Some(tag), _) if tag.matches(etag) => Verdict::NotModified,
            (None, Some(since)) if modified <= since => Verdict::NotModified,
            _ => Verdict::Go,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn write_conditions() {
        use WriteCondition as W;
        let ok = |condition: W, current: Option<&str>| condition.check(current).is_ok();
        assert!(ok(W::None, None) && ok(W::None, Some("a")));
        assert!(ok(W::Absent, None) && !ok(W::Absent, Some("a")));
        assert!(ok(W::Present, Some("a")) && !ok(W::Present, None));
        assert!(ok(W::Matches("a".into()), Some("a")));
        assert!(matches!(
            W::Matches("a".into()).check(Some("b")),
            Err(BucketError::Precondition("If-Match"))
        ));
        assert!(matches!(W::Matches("a".into()).check(None), Err(BucketError::NoSuchKey)));
    }

    #[test]
    fn read_conditions_follow_the_rfc() {
        let is = |tag: &str| Some(Tag::Is(tag.to_owned()));
        let table = [
            (ReadCondition::default(), Verdict::Go),
            (ReadCondition { matching: is("e"), ..Default::default() }, Verdict::Go),
            (ReadCondition { matching: Some(Tag::Any), ..Default::default() }, Verdict::Go),
            (
                ReadCondition { matching: is("x"), ..Default::default() },
                Verdict::Failed("If-Match"),
            ),
            (ReadCondition { none_matching: is("e"), ..Default::default() }, Verdict::NotModified),
            (
                ReadCondition { none_matching: Some(Tag::Any), ..Default::default() },
                Verdict::NotModified,
            ),
            (ReadCondition { none_matching: is("x"), ..Default::default() }, Verdict::Go),
            (
                ReadCondition { modified_since_secs: Some(5), ..Default::default() },
                Verdict::NotModified,
            ),
            (ReadCondition { modified_since_secs: Some(4), ..Default::default() }, Verdict::Go),
            (ReadCondition { unmodified_since_secs: Some(5), ..Default::default() }, Verdict::Go),
            (
                ReadCondition { unmodified_since_secs: Some(4), ..Default::default() },
                Verdict::Failed("If-Unmodified-Since"),
            ),
            // A matching tag makes the date moot, in both directions.
            (
                ReadCondition {
                    matching: is("e"),
                    unmodified_since_secs: Some(4),
                    ..Default::default()
                },
                Verdict::Go,
            ),
            (
                ReadCondition {
                    none_matching: is("x"),
                    modified_since_secs: Some(9),
                    ..Default::default()
                },
                Verdict::Go,
            ),
        ];
        for (condition, verdict) in table {
            assert_eq!(condition.check("e", 5_999), verdict, "{condition:?}");
        }
    }
}
