//! Pictures of numbers, drawn here: stacked columns over time, and bars. Each has the same numbers as text for who does
//! not see it.

use std::collections::BTreeMap;
use std::fmt::Display;

use api_types::explore::{SlotView, SumView, SummaryView};
use domain::Timestamp;
use maud::{Markup, html};
use texts::{Text, say};

use crate::page::Name;

/// Width and height of a chart, in its own units.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 120.0;
/// Columns of a chart at most.
const COLUMNS_MAX: usize = 120;

/// The layers of a chart from the bottom up: the class that gives each its colour, its name, and its states. What is
/// called held is `state:held`, as everywhere: what is in the quarantine now and waits for a decision.
const LAYERS: [(&str, Name, &[&str]); 5] = [
    ("delivered", || say!(chart_delivered), &["delivered", "released"]),
    ("held", || say!(chart_held), &["held"]),
    ("moving", || say!(chart_moving), &["releasing", "in_doubt", "forwarding", "in_doubt_live", "tentative"]),
    ("ended", || say!(chart_ended), &["denied", "failed", "expired", "deleted"]),
    ("refused", || say!(chart_refused), &["refused"]),
];

/// One column: its beginning, and its units by layer.
struct Column {
    at: Timestamp,
    layers: [u64; LAYERS.len()],
}

/// Columns over time, from the `over_time` of a summary, up to `until`. Where it has columns, each leads to the
/// explorer with that time.
pub fn over_time(summary: &SummaryView, until: Timestamp, columns: usize, query: &str) -> Markup {
    let interval = summary.interval.max(1);
    let columns = columns_of(&summary.over_time, until, interval, columns.clamp(1, COLUMNS_MAX));
    let most = columns.iter().map(|column| column.layers.iter().sum::<u64>()).max().unwrap_or(0).max(1);
    let width = WIDTH / columns.len() as f64;
    let all: u64 = columns.iter().flat_map(|column| column.layers).sum();
    let label = say!(chart_label, count = all, intervals = columns.len(), minutes = interval / 60, most = most);
    html! {
        figure.chart data-brush=(query) {
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="group" aria-label=(label) {
                @for (number, column) in columns.iter().enumerate() {
                    a href=(crate::page::explorer(&within(query, column.at, interval)))
                        data-from=(column.at) data-to=(end_of(column.at, interval)) {
                        title { (described(column)) }
                        rect.reach x=(number as f64 * width) y="0" width=(width) height=(HEIGHT) {}
                        @for (layer, y, height) in stacked(column, most) {
                            rect class=(LAYERS[layer].0) x=(number as f64 * width + width * 0.1) y=(round(y))
                                width=(round(width * 0.8)) height=(round(height)) {}
                        }
                    }
                }
            }
            figcaption {
                span { (axis(columns.first())) }
                span.legend { @for (class, name, _) in LAYERS { span.(class) { (name()) } } }
                span { (axis(columns.last())) }
            }
        }
    }
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// The layers of a column that are not empty: which, from where, how high.
fn stacked(column: &Column, most: u64) -> Vec<(usize, f64, f64)> {
    let mut top = HEIGHT;
    let mut stack = Vec::new();
    for (layer, units) in column.layers.iter().enumerate().filter(|(_, units)| **units > 0) {
        // What there is is seen, however little of the whole.
        let height = (*units as f64 / most as f64 * (HEIGHT - 4.0)).max(1.5);
        top -= height;
        stack.push((layer, top, height));
    }
    stack
}

fn columns_of(slots: &[SlotView], until: Timestamp, interval: u64, count: usize) -> Vec<Column> {
    let mut sums: BTreeMap<i64, [u64; LAYERS.len()]> = BTreeMap::new();
    let interval = i64::try_from(interval).unwrap_or(3600);
    for slot in slots {
        let Ok(at) = Timestamp::parse(&slot.at) else { continue };
        let layer = LAYERS.iter().position(|(_, _, states)| states.contains(&slot.state.as_str()));
        let sum = sums.entry(at.as_seconds().div_euclid(interval)).or_default();
        sum[layer.unwrap_or(0)] += slot.units;
    }
    let last = until.as_seconds().div_euclid(interval);
    let first = last - i64::try_from(count).unwrap_or(24) + 1;
    let column = |slot: i64| Column {
        at: Timestamp::from_micros(slot * interval * 1_000_000),
        layers: sums.get(&slot).copied().unwrap_or_default(),
    };
    (first..=last).map(column).collect()
}

fn described(column: &Column) -> Text {
    let layers = LAYERS.iter().zip(column.layers).filter(|(_, units)| *units > 0);
    let said = |name: Text, units: u64| say!(chart_layer, count = units, name = name.to_string()).to_string();
    let layers: Vec<String> = layers.map(|((_, name, _), units)| said(name(), units)).collect();
    let at = short(column.at);
    if layers.is_empty() {
        return say!(chart_column_empty, at = at);
    }
    say!(chart_column, at = at, layers = layers.join(", "))
}

fn short(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{} {}", text.get(5..10).unwrap_or_default(), text.get(11..16).unwrap_or_default())
}

fn axis(column: Option<&Column>) -> String {
    column.map(|column| short(column.at)).unwrap_or_default()
}

/// The last moment of a column.
fn end_of(at: Timestamp, interval: u64) -> Timestamp {
    Timestamp::from_micros(at.as_micros() + i64::try_from(interval).unwrap_or(3600) * 1_000_000 - 1)
}

/// A query, within an interval.
fn within(query: &str, at: Timestamp, interval: u64) -> String {
    let time = format!("received:{at}..{}", end_of(at, interval));
    if query.is_empty() { time } else { format!("({query}) {time}") }
}

/// Sums of the explorer, as [`bars`] takes them.
pub(crate) fn numbers(values: &[SumView]) -> Vec<(String, u64)> {
    values.iter().map(|sum| (sum.value.clone(), sum.units)).collect()
}

/// A field of the sums as people read it; any other title is one already.
fn titled(title: &str) -> String {
    match title {
        "direction" => say!(explorer_direction).into(),
        "category" => say!(explorer_category).into(),
        "disposition" => say!(explorer_disposition).into(),
        "state" => say!(state).into(),
        other => other.to_owned(),
    }
}

/// Numbers by name as bars, the largest first; each leads where `href` says. The title is a text, or a field of the
/// sums.
pub fn bars(title: impl Display, sums: &[(String, u64)], href: impl Fn(&str) -> String) -> Markup {
    let most = sums.iter().map(|(_, units)| *units).max().unwrap_or(0).max(1);
    html! {
        section.facet {
            h3 { (titled(&title.to_string())) }
            @if sums.is_empty() { p.dim { (say!(chart_none)) } }
            ul {
                @for (name, units) in sums {
                    li {
                        a href=(href(name)) { span { (texts::word(name)) } span.count { (units) } }
                        meter min="0" max=(most) value=(units) { (units) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_one_layer() {
        for account in domain::Account::ALL {
            let layers = LAYERS.iter().filter(|(_, _, states)| states.contains(&account.as_str())).count();
            assert_eq!(layers, 1, "{account:?}");
        }
    }

    #[test]
    fn columns_add_up_and_lead_somewhere() {
        let at = |second: i64| Timestamp::from_micros(1_794_996_000_000_000 + second * 1_000_000);
        let slot = |second: i64, state: &str, units: u64| SlotView {
            at: at(second).to_string(),
            state: state.to_owned(),
            units,
        };
        let over_time =
            vec![slot(0, "delivered", 40), slot(0, "held", 2), slot(0, "denied", 1), slot(7200, "released", 5)];
        let summary = SummaryView { units: 48, by: Vec::new(), over_time, interval: 3600, next: None };
        let columns = columns_of(&summary.over_time, at(7300), 3600, 4);
        let sums: Vec<[u64; 5]> = columns.iter().map(|column| column.layers).collect();
        assert_eq!(sums, [[0; 5], [40, 2, 0, 1, 0], [0; 5], [5, 0, 0, 0, 0]], "what was denied is not held");
        let shown = super::over_time(&summary, at(7300), 4, "a OR b").into_string();
        assert!(
            shown.contains("48 deliveries in 4 intervals of 60 min, at most 43 in one")
                && shown.contains("%28a%20OR%20b%29%20received%3A")
        );
        assert_eq!(shown.matches("<rect class=\"held\"").count(), 1);
    }
}
