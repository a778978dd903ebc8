//! clamd as a neighbour: the message over INSTREAM, the answer as a finding, the database's version in the report.
//!
//! It is asked outside the native pipeline, at the same time. Whatever it does (hang, garble, die) is an engine's
//! failure with a policy, never a verdict.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use domain::detection::{Category, DetectionCode, DetectionVersion, Effect, Mode};
use domain::finding::{EngineReport, Finding, Outcome};
use domain::message::Family;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// The engine's name in reports and in policy.
pub const ENGINE: &str = "clamd";
/// Bytes of one answer at most.
const REPLY_BYTES_MAX: usize = 4096;
/// Bytes of one chunk of INSTREAM.
const CHUNK_BYTES: usize = 256 * 1024;

/// Where clamd listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `host:port`.
    Tcp(String),
    /// A unix socket.
    Unix(PathBuf),
}

/// A clamd to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clamd {
    /// Where.
    pub address: Address,
    /// How long it may take for one message.
    pub timeout: Duration,
}

/// Why clamd gave no answer that counts.
#[derive(Debug, thiserror::Error)]
pub enum ClamdError {
    /// It cannot be reached, or hung up.
    #[error("clamd: {0}")]
    Io(#[from] std::io::Error),
    /// It took too long.
    #[error("clamd did not answer within {0} s")]
    Timeout(u64),
    /// It said that it failed, such as for a size limit of its own.
    #[error("clamd answered: {0}")]
    Failed(String),
    /// What it said is no answer.
    #[error("clamd answered what makes no sense")]
    Garbled,
}

/// What an answer to INSTREAM says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing was found.
    Clean,
    /// A signature matched.
    Found(String),
    /// clamd could not look.
    Failed(String),
}

/// Reads an answer of a session: `<number>: stream: OK`, `... <signature> FOUND` or `... ERROR`.
pub fn parse_reply(line: &str) -> Option<Reply> {
    let (number, rest) = line.split_once(": ")?;
    number.parse::<u32>().ok()?;
    if let Some(what) = rest.strip_suffix(" ERROR") {
        return Some(Reply::Failed(what.chars().filter(|c| !c.is_control()).take(200).collect()));
    }
    let said = rest.strip_prefix("stream: ")?;
    if said == "OK" {
        return Some(Reply::Clean);
    }
    let signature = said.strip_suffix(" FOUND").filter(|signature| !signature.is_empty())?;
    Some(Reply::Found(signature.to_owned()))
}

/// Reads an answer to VERSION: the program's version, and that of its database.
pub fn parse_version(line: &str) -> Option<(String, String)> {
    let (_, said) = line.split_once(": ")?;
    let said = said.strip_prefix("ClamAV ")?;
    let clean = |text: &str| text.chars().filter(char::is_ascii_graphic).take(40).collect::<String>();
    let (program, rest) = said.split_once('/').unwrap_or((said, ""));
    Some((clean(program), clean(rest.split('/').next().unwrap_or_default())))
}

impl Clamd {
    /// Asks about one message.
    pub async fn examine(&self, raw: &[u8]) -> (EngineReport, Vec<Finding>) {
        let began = Instant::now();
        let asked = match tokio::time::timeout(self.timeout, self.ask(raw)).await {
            Ok(asked) => asked,
            Err(_) => Err(ClamdError::Timeout(self.timeout.as_secs())),
        };
        let millis = (began.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        let report = |outcome, version: String, data_version: String, detail: String| EngineReport {
            engine: ENGINE.into(),
            version,
            data_version,
            outcome,
            millis,
            detail,
        };
        match asked {
            Ok((program, data, signature)) => {
                let findings = signature.map(|signature| finding(&signature, &data)).into_iter().collect();
                (report(Outcome::Done, program, data, String::new()), findings)
            }
            Err(error) => {
                let outcome = if matches!(error, ClamdError::Timeout(_)) { Outcome::Timeout } else { Outcome::Error };
                (report(outcome, String::new(), String::new(), error.to_string()), Vec::new())
            }
        }
    }

    async fn ask(&self, raw: &[u8]) -> Result<(String, String, Option<String>), ClamdError> {
        match &self.address {
            Address::Tcp(address) => session(TcpStream::connect(address.as_str()).await?, raw).await,
            Address::Unix(path) => session(UnixStream::connect(path).await?, raw).await,
        }
    }
}

/// One session: the version and the stream, so that the version is that of the database that looked.
async fn session<S>(mut stream: S, raw: &[u8]) -> Result<(String, String, Option<String>), ClamdError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(b"zIDSESSION\0zVERSION\0").await?;
    let mut input = Vec::new();
    let (program, data) = parse_version(&line(&mut stream, &mut input).await?).ok_or(ClamdError::Garbled)?;
    stream.write_all(b"zINSTREAM\0").await?;
    for chunk in raw.chunks(CHUNK_BYTES) {
        let length = u32::try_from(chunk.len()).map_err(|_| ClamdError::Garbled)?;
        // clamd answers and closes early when a limit of its own is met; its answer matters, not our write.
        if stream.write_all(&length.to_be_bytes()).await.is_err() || stream.write_all(chunk).await.is_err() {
            break;
        }
    }
    let _ = stream.write_all(&0_u32.to_be_bytes()).await;
    let reply = parse_reply(&line(&mut stream, &mut input).await?).ok_or(ClamdError::Garbled)?;
    // The answer is here; how the session ends changes nothing.
    let _ = stream.write_all(b"zEND\0").await;
    match reply {
        Reply::Clean => Ok((program, data, None)),
        Reply::Found(signature) => Ok((program, data, Some(signature))),
        Reply::Failed(why) => Err(ClamdError::Failed(why)),
    }
}

/// One answer, up to its NUL.
async fn line(stream: &mut (impl AsyncRead + Unpin), input: &mut Vec<u8>) -> Result<String, ClamdError> {
    loop {
        if let Some(end) = input.iter().position(|byte| *byte == 0) {
            let line = String::from_utf8_lossy(&input[..end]).into_owned();
            input.drain(..=end);
            return Ok(line);
        }
        if input.len() > REPLY_BYTES_MAX {
            return Err(ClamdError::Garbled);
        }
        if stream.read_buf(input).await? == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
    }
}

/// A signature as a finding: each is a detection of its own, in the version of the database.
fn finding(signature: &str, data_version: &str) -> Finding {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-_.:".contains(c) { c } else { '_' };
    let name: String = signature.chars().map(safe).take(110).collect();
    let code =
        DetectionCode::parse(&format!("{ENGINE}:{name}")).expect("its characters and its length were just made to fit");
    Finding {
        detection: code,
        detection_version: DetectionVersion::external(data_version),
        engine: ENGINE.into(),
        category: Category::Malware,
        effect: Effect::Hold,
        mode: Mode::Enforce,
        part: None,
        family: Family::Mail,
        offset: None,
        evidence: format!("signature {name}"),
        previous: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn answers() {
        assert_eq!(parse_reply("2: stream: OK"), Some(Reply::Clean));
        assert_eq!(
            parse_reply("2: stream: Win.Test.EICAR_HDB-1 FOUND"),
            Some(Reply::Found("Win.Test.EICAR_HDB-1".into()))
        );
        assert_eq!(
            parse_reply("2: INSTREAM size limit exceeded. ERROR"),
            Some(Reply::Failed("INSTREAM size limit exceeded.".into()))
        );
        for garbled in ["", "OK", "x: stream: OK", "2: stream:", "2: stream:  FOUND", "2: strea OK"] {
            assert_eq!(parse_reply(garbled), None, "{garbled}");
        }
        let version = parse_version("1: ClamAV 1.4.6/27100/Mon Nov 23 08:00:00 2026");
        assert_eq!(version, Some(("1.4.6".into(), "27100".into())));
        assert_eq!(parse_version("1: ClamAV 1.4.6"), Some(("1.4.6".into(), String::new())));
        assert_eq!(parse_version("nonsense"), None);
    }

    #[test]
    fn a_signature_cannot_break_a_code() {
        assert_eq!(finding("Odd name (x)\r\n", "1").detection.as_str(), "clamd:Odd_name__x___");
    }

    proptest! {
        #[test]
        fn no_answer_panics(line in ".{0,200}") {
            let _ = (parse_reply(&line), parse_version(&line));
            let _ = finding(&line, "1");
        }
    }
}
