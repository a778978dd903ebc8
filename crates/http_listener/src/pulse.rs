//! How a connection of HTTP fares: what it is at and since when, so that what stands still can be told from what goes
//! on.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use platform::config::http::HttpConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// How long a stranger's request may come, or its answer stall, before its place may be somebody else's.
const MOMENT: Duration = Duration::from_secs(2);
/// Time in which nothing is asked of a body's or an answer's pace.
const PACE_GRACE: Duration = Duration::from_secs(10);

/// What a connection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// A header is to come: the connection is new, or a part of the header is there.
    Head,
    /// Nothing is asked, after an answer.
    Idle,
    /// A body is to come.
    Body,
    /// We work at an answer.
    Work,
    /// An answer is sent.
    Answer,
    /// A stream of events is sent, which has no end of its own.
    Stream,
}

const PHASES: [Phase; 6] = [Phase::Head, Phase::Idle, Phase::Body, Phase::Work, Phase::Answer, Phase::Stream];

/// What took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// The header of a request.
    Head,
    /// The body of a request.
    Body,
    /// The next request.
    Idle,
    /// The reader of an answer.
    Reader,
}

impl Overdue {
    /// The label of the metric.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Head => "header timeout",
            Self::Body => "body timeout",
            Self::Idle => "idle timeout",
            Self::Reader => "write timeout",
        }
    }
}

/// What is known of a connection, by everybody who has to do with it.
#[derive(Debug)]
pub(super) struct Pulse {
    began: Instant,
    phase: AtomicU8,
    /// Milliseconds from the beginning to the phase.
    since: AtomicU64,
    /// Bytes that have been read and written.
    read: AtomicU64,
    written: AtomicU64,
    /// The same when the phase began.
    read_before: AtomicU64,
    written_before: AtomicU64,
    /// Milliseconds from the beginning to when the socket took no more bytes, and one; 0 while it takes them.
    stalled: AtomicU64,
    /// Whether somebody has shown who they are.
    is_known: AtomicBool,
    /// Has it make room for another.
    pub(super) evicted: Notify,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            phase: AtomicU8::new(Phase::Head as u8),
            since: AtomicU64::new(0),
            read: AtomicU64::new(0),
            written: AtomicU64::new(0),
            read_before: AtomicU64::new(0),
            written_before: AtomicU64::new(0),
            stalled: AtomicU64::new(0),
            is_known: AtomicBool::new(false),
            evicted: Notify::new(),
        }
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn phase(&self) -> Phase {
        PHASES[usize::from(self.phase.load(Ordering::Relaxed)) % PHASES.len()]
    }

    /// A phase begins.
    pub(super) fn enter(&self, phase: Phase) {
        self.since.store(self.millis(), Ordering::Relaxed);
        self.read_before.store(self.read.load(Ordering::Relaxed), Ordering::Relaxed);
        self.written_before.store(self.written.load(Ordering::Relaxed), Ordering::Relaxed);
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Somebody has shown who they are.
    pub(super) fn know(&self) {
        self.is_known.store(true, Ordering::Relaxed);
    }

    /// How long a stranger has had this connection do nothing to speak of; none for everybody else. A request that
    /// comes, or an answer that is taken, for longer than a moment is no more than that when others have no place.
    pub(super) fn idle_stranger(&self) -> Option<Duration> {
        let stalled = self.stalled.load(Ordering::Relaxed);
        let stall = Duration::from_millis(self.millis().saturating_sub(stalled.saturating_sub(1)));
        let is_idle = match self.phase() {
            Phase::Head | Phase::Idle => true,
            Phase::Body => self.in_phase() >= MOMENT,
            Phase::Answer => stalled > 0 && stall >= MOMENT,
            Phase::Work | Phase::Stream => false,
        };
        (is_idle && !self.is_known.load(Ordering::Relaxed)).then(|| self.in_phase())
    }

    fn in_phase(&self) -> Duration {
        Duration::from_millis(self.millis().saturating_sub(self.since.load(Ordering::Relaxed)))
    }

    /// What has taken too long by now.
    pub(super) fn overdue(&self, limits: &HttpConfig) -> Option<Overdue> {
        let elapsed = self.in_phase();
        let stalled = self.stalled.load(Ordering::Relaxed);
        let is_slow = |all: &AtomicU64, before: &AtomicU64| {
            let moved = all.load(Ordering::Relaxed).saturating_sub(before.load(Ordering::Relaxed));
            elapsed > PACE_GRACE && moved < limits.bytes_per_second_min.saturating_mul(elapsed.as_secs())
        };
        let stall = Duration::from_millis(self.millis().saturating_sub(stalled.saturating_sub(1)));
        if stalled > 0 && stall > limits.write_timeout {
            return Some(Overdue::Reader);
        }
        match self.phase() {
            Phase::Head if elapsed > limits.header_timeout => Some(Overdue::Head),
            Phase::Idle if elapsed > limits.idle_timeout => Some(Overdue::Idle),
            Phase::Body if elapsed > limits.body_timeout || is_slow(&self.read, &self.read_before) => {
                Some(Overdue::Body)
            }
            Phase::Answer if stalled > 0 && is_slow(&self.written, &self.written_before) => Some(Overdue::Reader),
            _ => None,
        }
    }
}

/// A socket whose bytes are counted.
#[derive(Debug)]
pub(super) struct Watched<S> {
    pub(super) socket: S,
    pub(super) pulse: Arc<Pulse>,
}

impl<S> Watched<S> {
    fn wrote(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &result {
            Poll::Ready(Ok(count)) => {
                self.pulse.written.fetch_add(*count as u64, Ordering::Relaxed);
                self.pulse.stalled.store(0, Ordering::Relaxed);
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                let now = self.pulse.millis() + 1;
                // Since the first time that it took nothing.
                let _ = self.pulse.stalled.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
            }
        }
        result
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.socket).poll_read(context, buffer);
        let count = buffer.filled().len() - before;
        if count > 0 {
            if self.pulse.phase() == Phase::Idle {
                self.pulse.enter(Phase::Head);
            }
            self.pulse.read.fetch_add(count as u64, Ordering::Relaxed);
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.wrote(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

/// A body that says when it has come or gone whole, or is of no more use: then the connection enters another phase.
pub(super) struct Tracked<B, K = ()> {
    body: B,
    pulse: Arc<Pulse>,
    then: Phase,
    /// What is held as long as the body is there.
    _kept: K,
}

impl<B, K> Tracked<B, K> {
    pub(super) fn new(body: B, pulse: Arc<Pulse>, then: Phase, kept: K) -> Self {
        Self { body, pulse, then, _kept: kept }
    }
}

impl<B: Body<Data = Bytes> + Unpin, K: Unpin> Body for Tracked<B, K> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B, K> Drop for Tracked<B, K> {
    fn drop(&mut self) {
        // A body of a request that nobody wanted ends while its answer is sent already.
        if self.then == Phase::Idle || self.pulse.phase() == Phase::Body {
            self.pulse.enter(self.then);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> HttpConfig {
        HttpConfig {
            connections_max: 1,
            connections_per_ip_max: 1,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(300),
            bytes_per_second_min: 1024,
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            streams_max: 1,
            streams_per_ip_max: 1,
            proxies: Vec::new(),
            hosts: Vec::new(),
            header_bytes_max: 64 << 10,
            passwords_at_once: 2,
            passwords_waiting_max: 64,
        }
    }

    /// A connection in a phase for so many seconds, in which so many bytes were read and written, and the reader took
    /// nothing for some.
    fn seen(phase: Phase, seconds: u64, moved: u64, stalled: Option<u64>) -> Option<Overdue> {
        let mut pulse = Pulse::new();
        pulse.began = Instant::now().checked_sub(Duration::from_secs(1000)).expect("the machine runs for longer");
        pulse.enter(phase);
        pulse.since.store(1_000_000 - seconds * 1000, Ordering::Relaxed);
        pulse.read.store(moved, Ordering::Relaxed);
        pulse.written.store(moved, Ordering::Relaxed);
        pulse.stalled.store(stalled.map_or(0, |ago| 1_000_000 - ago * 1000 + 1), Ordering::Relaxed);
        pulse.overdue(&limits())
    }

    #[test]
    fn what_stands_still_is_told_from_what_goes_on() {
        use Overdue as O;
        for (phase, seconds, moved, stalled, expected) in [
            (Phase::Head, 9, 0, None, None),
            (Phase::Head, 11, 9000, None, Some(O::Head)),
            (Phase::Idle, 59, 0, None, None),
            (Phase::Idle, 61, 0, None, Some(O::Idle)),
            (Phase::Body, 9, 1, None, None),
            (Phase::Body, 20, 1000, None, Some(O::Body)),
            (Phase::Body, 20, 30_000, None, None),
            (Phase::Body, 301, 1 << 30, None, Some(O::Body)),
            (Phase::Work, 900, 0, None, None),
            (Phase::Answer, 900, 0, None, None),
            (Phase::Answer, 100, 1000, Some(1), Some(O::Reader)),
            (Phase::Answer, 100, 1 << 20, Some(1), None),
            (Phase::Stream, 900, 0, None, None),
            (Phase::Stream, 900, 1000, Some(1), None),
            (Phase::Stream, 900, 1 << 20, Some(31), Some(O::Reader)),
        ] {
            assert_eq!(seen(phase, seconds, moved, stalled), expected, "{phase:?} {seconds} {moved} {stalled:?}");
        }
    }
}
