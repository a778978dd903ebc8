//! The way of one mail: steps with a beginning, an end and what they are within, and facts beside them. It is noted
//! down as it is gone, and left to be told at its end. While traces are off a way is empty, and nothing is done for it.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use domain::event::{LIST_MAX, TEXT_CHARS};
use domain::{MailId, Timestamp};

use super::Traces;

/// Steps of one way at most.
pub const STEPS_MAX: usize = 64;

/// What a fact says.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// Some texts.
    Texts(Vec<String>),
    /// A whole number.
    Number(i64),
    /// A number with a fraction.
    Fraction(f64),
    /// Yes or no.
    Flag(bool),
}

impl Value {
    /// A text, as long as one of an event may be.
    pub fn text(text: &str) -> Self {
        Self::Text(cut(text))
    }

    /// As many texts as a list of an event may have.
    pub fn texts<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        Self::Texts(texts.take(LIST_MAX).map(cut).collect())
    }

    /// A count or a size.
    pub fn count(count: u64) -> Self {
        Self::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS).collect()
}

/// Something that is known of a mail or of a step.
pub type Fact = (&'static str, Value);

/// A step, its times counted from the beginning of the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is done.
    pub name: Cow<'static, str>,
    /// The number of the step that it is within; its own for the first, which is the whole way.
    pub within: usize,
    /// When it began.
    pub began: Duration,
    /// When it ended.
    pub ended: Duration,
    /// What is known of it.
    pub facts: Vec<Fact>,
    /// Whether it failed.
    pub is_failed: bool,
}

/// A way that has been gone.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Whose.
    pub mail: MailId,
    /// Of which of its units; 0 where it is that of all of them.
    pub part: u32,
    /// When it began.
    pub began: Timestamp,
    /// Its steps in the order in which they were noted down; the first is the whole way.
    pub steps: Vec<Step>,
}

impl Trace {
    /// A way that begins.
    pub fn new(name: &'static str, (mail, part): (MailId, u32), began: Timestamp) -> Self {
        let whole = Step {
            name: name.into(),
            within: 0,
            began: Duration::ZERO,
            ended: Duration::ZERO,
            facts: vec![("email.local_id", Value::Text(mail.to_string()))],
            is_failed: false,
        };
        Self { mail, part, began, steps: vec![whole] }
    }
}

/// The number of a step that is under way.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Entered(usize);

/// A way that is being gone.
#[derive(Debug, Default)]
pub struct Way(Option<Box<Going>>);

#[derive(Debug)]
struct Going {
    traces: Traces,
    trace: Trace,
    since: Instant,
    /// The steps under way, each within the one before it.
    open: Vec<usize>,
    is_certain: bool,
}

impl Way {
    /// A way that is left to `traces` at its end.
    pub(super) fn of(traces: Traces, trace: Trace, since: Instant) -> Self {
        Self(Some(Box::new(Going { traces, trace, since, open: vec![0], is_certain: false })))
    }

    /// Whether it is noted down.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// A step begins, within the one that is under way.
    pub fn enter(&mut self, name: &'static str) -> Entered {
        let Some(going) = &mut self.0 else { return Entered(0) };
        let now = going.since.elapsed();
        let Some(number) = going.add(name.into(), now, now) else { return Entered(usize::MAX) };
        going.open.push(number);
        Entered(number)
    }

    /// A step ends, and those within it that are still under way.
    pub fn leave(&mut self, entered: Entered) {
        let Some(going) = &mut self.0 else { return };
        if going.open.contains(&entered.0) {
            going.close(entered.0);
        }
    }

    /// Notes down a step that has ended, within the one that is under way: its beginning is counted from that of the
    /// way.
    pub fn note(&mut self, name: String, began: Duration, took: Duration, facts: Vec<Fact>, is_failed: bool) {
        let Some(going) = &mut self.0 else { return };
        if let Some(number) = going.add(name.into(), began, began + took) {
            going.trace.steps[number].facts = facts;
            going.trace.steps[number].is_failed = is_failed;
        }
    }

    /// How long the way is by now.
    pub fn so_far(&self) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |going| going.since.elapsed())
    }

    /// Notes down something of the whole way; it is not asked for while traces are off.
    pub fn fact(&mut self, key: &'static str, value: impl FnOnce() -> Value) {
        if let Some(going) = &mut self.0 {
            going.trace.steps[0].facts.push((key, value()));
        }
    }

    /// It is told, whatever the share is.
    pub fn is_certainly_told(&mut self) {
        if let Some(going) = &mut self.0 {
            going.is_certain = true;
        }
    }

    /// It ends, well or not; what does not end well is told, whatever the share is.
    pub fn finish(self, is_failed: bool) {
        let Some(mut going) = self.0 else { return };
        going.close(0);
        going.trace.steps[0].is_failed = is_failed;
        let Going { traces, trace, is_certain, .. } = *going;
        traces.tell(trace, is_certain || is_failed);
    }
}

impl Going {
    fn add(&mut self, name: Cow<'static, str>, began: Duration, ended: Duration) -> Option<usize> {
        let steps = &mut self.trace.steps;
        if steps.len() == STEPS_MAX {
            return None;
        }
        let within = self.open.last().copied().unwrap_or_default();
        steps.push(Step { name, within, began, ended, facts: Vec::new(), is_failed: false });
        Some(steps.len() - 1)
    }

    /// Ends a step and those within it that are under way.
    fn close(&mut self, number: usize) {
        let now = self.since.elapsed();
        while let Some(last) = self.open.pop() {
            self.trace.steps[last].ended = now;
            if last == number {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traces::QUEUE_MAX;
    use crate::traces::share::Share;

    fn mail() -> MailId {
        MailId::new(Timestamp::from_micros(1), [255; 10])
    }

    #[test]
    fn steps_are_within_one_another_and_end_with_what_they_are_within() {
        let (traces, mut told) = Traces::queue(Share::EVERY);
        let mut way = traces.begin("mail", mail(), Timestamp::from_micros(7), Instant::now());
        let hop = way.enter("hop");
        let open = way.enter("hop.open");
        way.leave(open);
        let _data = way.enter("hop.data");
        way.leave(hop);
        way.leave(open);
        let _answer = way.enter("answer");
        way.note("engine yara".into(), Duration::ZERO, Duration::from_millis(1), Vec::new(), false);
        way.fact("a", || Value::text(&"x".repeat(TEXT_CHARS + 1)));
        way.finish(false);
        let trace = told.try_recv().expect("it is told");
        let names: Vec<(&str, usize)> = trace.steps.iter().map(|step| (step.name.as_ref(), step.within)).collect();
        let expected = [("mail", 0), ("hop", 0), ("hop.open", 1), ("hop.data", 1), ("answer", 0), ("engine yara", 4)];
        assert_eq!(names, expected);
        for step in &trace.steps[1..5] {
            let outer = &trace.steps[step.within];
            assert!(outer.began <= step.began && step.began <= step.ended && step.ended <= outer.ended, "{trace:?}");
        }
        assert_eq!(trace.steps[0].facts[1], ("a", Value::Text("x".repeat(TEXT_CHARS))));
    }

    #[test]
    fn a_way_has_an_end_whatever_is_done_on_it() {
        let (traces, mut told) = Traces::queue(Share::EVERY);
        let mut way = traces.begin("mail", mail(), Timestamp::from_micros(7), Instant::now());
        for _ in 0..STEPS_MAX * 2 {
            let entered = way.enter("step");
            way.leave(entered);
        }
        way.finish(false);
        assert_eq!(told.try_recv().expect("it is told").steps.len(), STEPS_MAX);
    }

    #[test]
    fn of_mail_that_passes_a_share_is_told_of_the_rest_all() {
        let (traces, mut told) = Traces::queue(Share::of(0.5));
        let begin = || traces.begin("mail", mail(), Timestamp::from_micros(7), Instant::now());
        begin().finish(false);
        assert!(told.try_recv().is_err(), "it is not in the share");
        begin().finish(true);
        let mut held = begin();
        held.is_certainly_told();
        held.finish(false);
        assert!(told.try_recv().expect("it failed").steps[0].is_failed);
        assert!(told.try_recv().is_ok(), "it was held");
    }

    #[test]
    fn nothing_is_noted_down_while_traces_are_off_and_nobody_waits_for_a_queue_that_is_full() {
        let mut way = Traces::default().begin("mail", mail(), Timestamp::from_micros(7), Instant::now());
        let entered = way.enter("step");
        way.fact("a", || unreachable!("nobody asks"));
        way.leave(entered);
        assert!(!way.is_on());
        way.finish(true);
        let (traces, told) = Traces::queue(Share::EVERY);
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            for _ in 0..QUEUE_MAX + 5 {
                traces.begin("mail", mail(), Timestamp::from_micros(7), Instant::now()).finish(false);
            }
        });
        assert_eq!(told.len(), QUEUE_MAX);
        let counted = recorder.handle().render();
        assert!(counted.contains("reprieve_traces_dropped_total{reason=\"queue\"} 5\n"), "{counted}");
    }
}
