//! How many deliveries match, by a field: those that the console sums up, and those that it groups by.

use std::collections::BTreeMap;

use api_types::explore::{PivotQuery, PivotedView, SumView, SummaryQuery, SummaryView};
use domain::query::Field;
use serde_json::json;
use store::explorer::facets::BY;

use crate::answer::Answer;
use crate::client::Client;
use crate::table::{Column, Table, TableArgs, text, whole};
use crate::{CliError, terminal};

/// Fields of the sums.
const SUMMED: [Field; 4] = [Field::Direction, Field::Category, Field::Disposition, Field::State];
/// The widest column of a chart, which nobody looks at here.
const INTERVAL_S: u64 = 366 * 24 * 3600;
/// How long one piece of the sums may take.
const PATIENCE_MS: u64 = 2000;

/// The field that a name means.
///
/// # Errors
/// When nothing can be grouped by it.
pub(super) fn field(name: &str) -> Result<Field, CliError> {
    let all = || SUMMED.iter().chain(&BY);
    Field::parse(name).filter(|field| all().any(|one| one == field)).ok_or_else(|| {
        let names: Vec<&str> = all().map(|one| one.as_str()).collect();
        CliError::Usage(format!("--group-by '{name}' is none of {}", names.join(", ")))
    })
}

/// Prints the sums, the largest first.
pub(super) async fn print(client: &Client, query: String, by: Field, to: &TableArgs) -> Result<(), CliError> {
    let sums = if SUMMED.contains(&by) { summed(client, query, by).await? } else { pivoted(client, query, by).await? };
    let PivotedView { others, since, .. } = sums.view()?;
    sums.list(to, table)?;
    if others > 0 {
        terminal::complain(&format!("{others} more values are not shown"));
    }
    if let Some(since) = since {
        terminal::complain(&format!("only messages since {} are counted; narrow the query", terminal::moment(&since)));
    }
    Ok(())
}

async fn pivoted(client: &Client, query: String, by: Field) -> Result<Answer<PivotedView>, CliError> {
    let ask = PivotQuery { q: query, by: by.as_str().to_owned() };
    client.get_with("/api/v1/explore/pivot", &ask).await
}

/// The sums come in pieces; together they have the form of the others.
async fn summed(client: &Client, query: String, by: Field) -> Result<Answer<PivotedView>, CliError> {
    let mut ask = SummaryQuery { q: query, before: None, interval: Some(INTERVAL_S), patience: Some(PATIENCE_MS) };
    let mut sums = BTreeMap::<String, u64>::new();
    loop {
        let piece = client.get_with::<SummaryView>("/api/v1/explore/summary", &ask).await?.view()?;
        let of_field = piece.by.into_iter().filter(|one| one.field == by.as_str()).flat_map(|one| one.values);
        for SumView { value, units } in of_field {
            *sums.entry(value).or_default() += units;
        }
        ask.before = piece.next;
        if ask.before.is_none() {
            break;
        }
    }
    let total = sums.values().sum();
    let mut values: Vec<SumView> = sums.into_iter().map(|(value, units)| SumView { value, units }).collect();
    values.sort_by_key(|sum| std::cmp::Reverse(sum.units));
    let view = PivotedView { by: by.as_str().to_owned(), values, others: 0, total, since: None };
    Ok(Answer::of(json!(view)))
}

const COLUMNS: &[Column] = &[whole("value"), text("deliveries")];

fn table(sums: &PivotedView) -> Table {
    let row = |one: &SumView| vec![one.value.clone(), one.units.to_string()];
    Table::new(COLUMNS, "no message matches", sums.values.iter().map(row).collect())
}
