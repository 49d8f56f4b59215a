//! AWS Signature Version 4: reading a signature's claim, checking it in AWS's order, and making one.
//!
//! The order of the checks and their texts: `reference/autoscaling-and-cloudwatch.md`, section 8.4. Why this is our own
//! code and not a library's: `docs/decisions/0003-sigv4.md`.

mod answer;
mod canonical;
mod claim;
mod keys;
mod parameters;
mod problem;
mod sign;
mod time;
mod verify;

#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};

pub use answer::{Answer, CORAL_NAMESPACE, Dialect};
pub use claim::{Claim, Presence, presence};
pub use keys::{SIGNING_KEYS_MAX, SigningKeys};
pub use parameters::SIGNED_HEADERS_MAX;
pub use problem::{ExpiresFault, Mismatch, Missing, Problem, ScopeFault};
pub use sign::{SignError, Signer, sign};
pub use time::BasicTime;
pub use verify::{Admitted, Expectation, Payload};

/// The only algorithm there is.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The last element of every credential scope.
pub const TERMINATOR: &str = "aws4_request";

/// The service whose paths, payload hashes and error texts differ from everybody else's.
const S3: &str = "s3";

/// The hash that [`Payload::Sha256`] and [`sign()`] want, of a body that is held whole.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Lower-case hexadecimal digits of a SHA-256 sum.
struct Hex([u8; 64]);

impl Hex {
    fn of(sum: &[u8; 32]) -> Self {
        let mut digits = [0; 64];
        base16ct::lower::encode(sum, &mut digits).expect("32 bytes are 64 digits");
        Self(digits)
    }

    fn as_str(&self) -> &str {
        ascii(&self.0)
    }
}

fn ascii(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("made of ASCII only")
}

/// The sum behind 64 lower-case hexadecimal digits, and nothing else.
fn from_hex(digits: &str) -> Option<[u8; 32]> {
    let mut sum = [0; 32];
    let decoded = base16ct::lower::decode(digits, &mut sum).ok()?;
    (decoded.len() == 32).then_some(sum)
}
