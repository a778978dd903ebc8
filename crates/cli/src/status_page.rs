//! `reprieve status-page`: the public status page as it was last published; it needs no database.

use clap::Args;
use serde::Deserialize;

use super::client::Client;
use super::{ApiArgs, CliError, terminal};

/// What to print.
#[derive(Debug, Args)]
pub struct StatusPageArgs {
    /// Print the HTML page.
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
    client.get::<Issues>("/status/status.json").await?.print(&args.api, text)
}

/// What is published, in the shape of a list of Microsoft Graph's `serviceHealthIssue`, as far as it is shown here. An
/// incident that could not be read has no status and no posts.
#[derive(Deserialize)]
struct Issues {
    value: Vec<Issue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Issue {
    id: String,
    title: String,
    impact_description: String,
    is_resolved: bool,
    #[serde(default)]
    status: String,
    #[serde(default)]
    posts: Vec<Post>,
}

#[derive(Deserialize)]
struct Post {
    description: Description,
}

#[derive(Deserialize)]
struct Description {
    content: String,
}

fn text(issues: &Issues) -> String {
    let open: Vec<&Issue> = issues.value.iter().filter(|one| !one.is_resolved).collect();
    if open.is_empty() {
        return format!("operational; {} past incidents", issues.value.len());
    }
    let shown = open.iter().map(|one| {
        let Issue { id, title, status, impact_description, .. } = one;
        let post = one.posts.last().map_or("", |post| &post.description.content);
        format!("{id}  {title}  [{status}]\n  {impact_description}\n  {post}")
    });
    shown.collect::<Vec<_>>().join("\n")
}
