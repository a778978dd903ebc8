//! Ways as messages of OTLP, encoded as protobuf: each step is a span.
//!
//! The id of a trace is the id of its mail, so that a trace is found from a mail and the other way round, and what
//! happens to the mail later is told into the same trace. The id of a span is made of its way and its number: a span
//! that is sent again is the same one.

use std::time::Duration;

use domain::{Digest, MailId};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

use super::way::{Fact, Step, Trace, Value};

/// The whole way of a mail that comes; what happens to it later is told below that.
pub(super) const MAIL: &str = "mail";
/// The mark of a span whose trace has random bits in its id (W3C Trace Context level 2), and which is told.
const FLAGS: u32 = 0x03;

/// A request that tells ways; `host` is our name.
pub(super) fn request(traces: &[Trace], host: &str) -> Vec<u8> {
    let version = env!("CARGO_PKG_VERSION");
    let text = |key, value: &str| attribute(&(key, Value::Text(value.to_owned())));
    let attributes = vec![
        text("service.name", "reprieve"),
        text("service.version", version),
        text("service.instance.id", host),
        text("host.name", host),
    ];
    let scope =
        InstrumentationScope { name: "reprieve".into(), version: version.into(), ..InstrumentationScope::default() };
    let spans = traces.iter().flat_map(spans).collect();
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
    let resource = Some(Resource { attributes, ..Resource::default() });
    let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// What a collector that has taken a request did not take of it, in its own words; nothing where it took all.
pub(super) fn rejected(answer: &[u8]) -> Option<String> {
    let partial = ExportTraceServiceResponse::decode(answer).ok()?.partial_success?;
    let said: String = partial.error_message.chars().take(300).collect();
    (partial.rejected_spans > 0).then(|| format!("{} spans rejected: {said}", partial.rejected_spans))
}

fn spans(trace: &Trace) -> Vec<Span> {
    let ids = Ids::of(trace);
    trace.steps.iter().enumerate().map(|(number, step)| span(trace, &ids, number, step)).collect()
}

fn span(trace: &Trace, ids: &Ids, number: usize, step: &Step) -> Span {
    let at = |since: Duration| {
        let began = u64::try_from(trace.began.as_micros()).unwrap_or(0).saturating_mul(1000);
        began.saturating_add(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    };
    let kind = match (number, step.name.as_ref()) {
        (0, MAIL) => SpanKind::Server,
        (_, "hop") => SpanKind::Client,
        _ => SpanKind::Internal,
    };
    let status = step.is_failed.then(|| Status { code: StatusCode::Error.into(), ..Status::default() });
    Span {
        trace_id: trace.mail.bits().to_vec(),
        span_id: ids.span(number),
        parent_span_id: if number == 0 { ids.parent() } else { ids.span(step.within) },
        flags: FLAGS,
        name: step.name.to_string(),
        kind: kind.into(),
        start_time_unix_nano: at(step.began),
        end_time_unix_nano: at(step.ended),
        attributes: step.facts.iter().map(attribute).collect(),
        status,
        ..Span::default()
    }
}

/// The ids of the spans of one way.
struct Ids {
    mail: MailId,
    name: String,
    /// Of which of its units, and when it began, where a mail may go that way more than once.
    part: u32,
    at: i64,
}

impl Ids {
    fn of(trace: &Trace) -> Self {
        let name = trace.steps.first().map(|whole| whole.name.to_string()).unwrap_or_default();
        let at = if name == MAIL { 0 } else { trace.began.as_micros() };
        Self { mail: trace.mail, name, part: trace.part, at }
    }

    fn span(&self, number: usize) -> Vec<u8> {
        let (part, at, number) = (self.part.to_be_bytes(), self.at.to_be_bytes(), number.to_be_bytes());
        let pieces = [&self.mail.bits()[..], self.name.as_bytes(), &part, &at, &number];
        Digest::of_pieces(&pieces).as_bytes()[..8].to_vec()
    }

    /// What the whole way is below: nothing for that of a mail that comes, and that for what happens to it later.
    fn parent(&self) -> Vec<u8> {
        match self.name.as_str() {
            MAIL => Vec::new(),
            _ => Self { mail: self.mail, name: MAIL.into(), part: 0, at: 0 }.span(0),
        }
    }
}

fn attribute((key, value): &Fact) -> KeyValue {
    let text = |text: &String| any_value::Value::StringValue(text.clone());
    let value = match value {
        Value::Text(one) => text(one),
        Value::Texts(all) => {
            let values = all.iter().map(|one| AnyValue { value: Some(text(one)) }).collect();
            any_value::Value::ArrayValue(ArrayValue { values })
        }
        Value::Number(number) => any_value::Value::IntValue(*number),
        Value::Fraction(number) => any_value::Value::DoubleValue(*number),
        Value::Flag(flag) => any_value::Value::BoolValue(*flag),
    };
    KeyValue { key: (*key).to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    fn told(name: &'static str, at: i64) -> Vec<Span> {
        told_of(name, 0, at)
    }

    fn told_of(name: &'static str, part: u32, at: i64) -> Vec<Span> {
        let mail = MailId::new(Timestamp::from_micros(1_795_000_000_000_000), [9; 10]);
        let mut trace = Trace::new(name, (mail, part), Timestamp::from_micros(at));
        let hop = Step { name: "hop".into(), began: Duration::from_nanos(5), ..trace.steps[0].clone() };
        trace.steps.push(Step { ended: Duration::from_nanos(7), is_failed: true, ..hop });
        let request = ExportTraceServiceRequest::decode(&request(&[trace], "mx")[..]).expect("a request");
        request.resource_spans[0].scope_spans[0].spans.clone()
    }

    #[test]
    fn two_units_that_are_released_at_one_moment_have_spans_of_their_own() {
        let id = |part| told_of("release", part, 7)[0].span_id.clone();
        assert_ne!(id(0), id(1));
    }

    #[test]
    fn a_step_is_a_span_of_the_trace_that_its_mail_names() {
        let spans = told(MAIL, 1000);
        let [whole, hop] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!(whole.trace_id, MailId::new(Timestamp::from_micros(1_795_000_000_000_000), [9; 10]).bits());
        assert_eq!((hop.trace_id.clone(), hop.parent_span_id.clone()), (whole.trace_id.clone(), whole.span_id.clone()));
        assert!(whole.parent_span_id.is_empty() && whole.span_id.len() == 8 && whole.span_id != hop.span_id);
        assert_eq!((hop.start_time_unix_nano, hop.end_time_unix_nano), (1_000_005, 1_000_007));
        assert_eq!((whole.kind(), hop.kind()), (SpanKind::Server, SpanKind::Client));
        assert!(whole.status.is_none() && hop.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error));
    }

    #[test]
    fn what_happens_later_is_below_the_way_of_the_mail_and_may_happen_twice() {
        let (mail, first, second) = (told(MAIL, 1), told("release", 2), told("release", 3));
        assert_eq!(first[0].parent_span_id, mail[0].span_id);
        assert_eq!(second[0].parent_span_id, mail[0].span_id);
        assert_ne!(first[0].span_id, second[0].span_id);
        assert_eq!(told("release", 2)[1].span_id, first[1].span_id, "sent again it is the same");
    }

    #[test]
    fn what_a_collector_rejects_is_read() {
        let answer = |rejected_spans| {
            let partial = opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess {
                rejected_spans,
                error_message: "too old".into(),
            };
            ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec()
        };
        assert_eq!(rejected(&answer(3)).as_deref(), Some("3 spans rejected: too old"));
        assert_eq!((rejected(&answer(0)), rejected(b""), rejected(b"<html>")), (None, None, None));
    }
}
