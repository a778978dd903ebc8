//! Secrets that people and their programs show: random, and never kept but as a digest.

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use domain::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use platform::clock::Clock;
use platform::config::http::HttpConfig;
use platform::keys::random;
use platform::measure;
use sha1::Sha1;
use tokio::sync::Semaphore;

use crate::error::ServiceError;

/// Characters of a password at least and at most (NIST SP 800-63B-4 section 3.1.1.2: 15 where nothing else is asked
/// for, and no rules beside).
pub const PASSWORD_MIN: usize = 12;
/// See [`PASSWORD_MIN`].
pub const PASSWORD_MAX: usize = 256;
/// How long a password waits to be hashed.
const HASHES_WAIT: Duration = Duration::from_secs(5);
/// Seconds for which a one-time code holds (RFC 6238 section 5.2).
const STEP: i64 = 30;
/// A hash of no password that anybody can type, with the cost of those that are made.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5MTI$4hXVYkTRXVhnYyWKzJ3CkQv0s1ZxOdVrjv0nq1bqzbA";
/// The letters of Base32 (RFC 4648 section 6).
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Hashes passwords, so many at once and so many that wait; others are told to come again. All copies are one.
#[derive(Clone, Debug)]
pub(crate) struct Passwords {
    waiting: Arc<Semaphore>,
    at_once: Arc<Semaphore>,
}

impl Passwords {
    /// Nobody waits yet.
    pub(crate) fn new(limits: &HttpConfig) -> Self {
        let permits = |count| Arc::new(Semaphore::new(count));
        Self { waiting: permits(limits.passwords_waiting_max), at_once: permits(limits.passwords_at_once) }
    }

    /// The hash of a new password, as it is kept.
    ///
    /// # Errors
    /// When the system gives no random bytes, or too many others want the same.
    pub(crate) async fn hashed(&self, password: String) -> Result<String, ServiceError> {
        self.worked_out(move || hash(&password)).await?.map_err(ServiceError::Internal)
    }

    /// Whether this is the password of that hash, as [`is_password`]. What is longer than any password is none, and
    /// costs nothing.
    ///
    /// # Errors
    /// When too many others want the same.
    pub(crate) async fn checked(&self, password: &str, known: Option<String>) -> Result<bool, ServiceError> {
        if password.len() > PASSWORD_MAX * 4 {
            return Ok(false);
        }
        let password = password.to_owned();
        self.worked_out(move || is_password(&password, known.as_deref())).await
    }

    /// Works, on threads that nobody else waits for.
    async fn worked_out<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let busy = || {
            measure::http_refused("api", "passwords");
            ServiceError::TooMany(HASHES_WAIT.as_secs())
        };
        let _waiting = self.waiting.try_acquire().map_err(|_| busy())?;
        let permit = tokio::time::timeout(HASHES_WAIT, self.at_once.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| busy())?.map_err(|closed| ServiceError::Internal(closed.to_string()))?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            // Whoever asked may have gone; the work is done all the same, and counts until then.
            drop(permit);
            done
        });
        done.await.map_err(|panic| ServiceError::Internal(panic.to_string()))
    }
}

/// The argon2id hash of a password, in PHC form. It takes some tens of milliseconds and 19 MiB: not for a thread that
/// others wait for.
///
/// # Errors
/// When the system gives no random bytes.
pub(crate) fn hash(password: &str) -> Result<String, String> {
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|error| error.to_string())?;
    Ok(hash.to_string())
}

/// Whether this is the password of that hash. Without one the same work is done, so that no time tells who is known.
pub(crate) fn is_password(password: &str, known: Option<&str>) -> bool {
    let parsed = PasswordHash::new(known.unwrap_or(NOBODY));
    let is = parsed.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    is && known.is_some()
}

/// A secret for one-time codes, in Base32 as programs that make codes take it.
pub(crate) fn new_totp(clock: &dyn Clock) -> String {
    let bits: String = random::<20>(clock).iter().map(|byte| format!("{byte:08b}")).collect();
    let letters = bits.as_bytes().chunks(5).map(|five| {
        let value = five.iter().fold(0_usize, |value, bit| value * 2 + usize::from(bit - b'0'));
        char::from(BASE32[value])
    });
    letters.collect()
}

/// Whether this is the code of now, or of the half minute before or behind (RFC 6238; SHA-1, six digits, as programs
/// have them).
pub(crate) fn is_code(secret: &str, code: &str, now: Timestamp) -> bool {
    let code = code.replace(' ', "");
    let step = now.as_seconds() / STEP;
    code.len() == 6 && (step - 1..=step + 1).any(|step| totp(secret, step).as_deref() == Some(code.as_str()))
}

fn totp(secret: &str, step: i64) -> Option<String> {
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0);
    for letter in secret.bytes() {
        let value = BASE32.iter().position(|known| known.eq_ignore_ascii_case(&letter))?;
        (bits, held) = ((bits << 5) | u32::try_from(value).ok()?, held + 5);
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    let mut mac = Hmac::<Sha1>::new_from_slice(&bytes).ok()?;
    mac.update(&step.to_be_bytes());
    let mac = mac.finalize().into_bytes();
    let at = usize::from(mac.last()? & 0xf);
    let word = u32::from_be_bytes(mac.get(at..at + 4)?.try_into().ok()?) & 0x7fff_ffff;
    Some(format!("{:06}", word % 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vectors of RFC 6238 appendix B, their last six digits.
    #[test]
    fn codes_of_the_standard() {
        // "12345678901234567890" in Base32.
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            let at = |second: i64| Timestamp::from_micros(second * 1_000_000);
            assert!(is_code(secret, code, at(second)), "{second}");
            assert!(is_code(secret, code, at(second + STEP)), "a slow hand");
            assert!(!is_code(secret, code, at(second + 3 * STEP)));
        }
        assert!(!is_code("not base32!", "287082", Timestamp::from_micros(59_000_000)));
    }

    #[test]
    fn a_password_is_known_by_its_hash_alone() {
        let known = hash("correct horse battery").expect("hashes");
        // Whoever is not known costs as much: the same kind, the same cost.
        let cost = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert!(PasswordHash::new(NOBODY).is_ok() && cost(NOBODY) == cost(&known), "{known}");
        assert!(is_password("correct horse battery", Some(&known)));
        assert!(
            !is_password("correct horse", Some(&known))
                && !is_password("", None)
                && !is_password("x", Some("nonsense"))
        );
    }
}
