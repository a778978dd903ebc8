//! `reprieve status-page`: what the public is told, as it was last published; it needs no database.

use clap::Args;
use serde_json::Value;

use super::client::Client;
use super::{ApiArgs, CliError, terminal};

/// What to print.
#[derive(Debug, Args)]
pub struct StatusPageArgs {
    /// Print the page itself.
    #[arg(long, conflicts_with = "feed")]
    html: bool,
    /// Print the Atom feed.
    #[arg(long)]
    feed: bool,
    /// Where the API is.
    #[command(flatten)]
    api: ApiArgs,
}

/// Prints it.
///
/// # Errors
/// When nothing has been published yet, or the API cannot be reached.
pub async fn run(args: StatusPageArgs) -> Result<(), CliError> {
    let client = Client::new(&args.api)?;
    if args.html || args.feed {
        let path = if args.html { "/status/" } else { "/status/feed.atom" };
        terminal::bytes(&client.get_bytes(path).await?);
        return Ok(());
    }
    let issues = client.get("/status/status.json", &[]).await?;
    terminal::line(&if args.api.json { issues.to_string() } else { text(&issues) });
    Ok(())
}

fn text(issues: &Value) -> String {
    let all: Vec<&Value> = issues["value"].as_array().into_iter().flatten().collect();
    if all.iter().all(|one| one["isResolved"] == true) {
        return format!("operational; {} past incidents", all.len());
    }
    let open = all.iter().filter(|one| one["isResolved"] == false);
    let shown = open.map(|one| {
        let text = |key: &str| one[key].as_str().unwrap_or_default();
        let last = one["posts"].as_array().and_then(|posts| posts.last());
        let post = last.map_or("", |post| post["description"]["content"].as_str().unwrap_or_default());
        format!("{}  {}  [{}]\n  {}\n  {post}", text("id"), text("title"), text("status"), text("impactDescription"))
    });
    shown.collect::<Vec<_>>().join("\n")
}
