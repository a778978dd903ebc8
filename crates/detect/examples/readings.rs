//! What we read, for `cargo xtask differential`: a line of JSON for each file named on standard input, `mail PATH`,
//! `archive PATH` or `link TEXT`. Other readers of the same bytes are asked beside it.
#![allow(clippy::print_stdout, reason = "a command for developers talks on the terminal")]

use std::io::{self, BufRead};
use std::time::Duration;

use detect::family;
use detect::limits::{Budget, Limits};
use detect::mime::wire_form;
use detect::page::link::Url;
use detect::take_apart;
use detect::unpack::{self, Allowance};
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        let shown = match line.split_once(' ') {
            Some(("mail", path)) => mail(&std::fs::read(path)?),
            Some(("archive", path)) => archive(&std::fs::read(path)?, path),
            Some(("link", text)) => {
                let text: String = serde_json::from_str(text).map_err(io::Error::other)?;
                json!(Url::parse(&text).map(|url| url.host))
            }
            _ => return Err(io::Error::other(format!("'{line}' is no file to be read"))),
        };
        println!("{shown}");
    }
    Ok(())
}

/// Every part: its names, its digest and its size.
fn mail(bytes: &[u8]) -> Value {
    let parts = take_apart::parts(&wire_form(bytes), &Limits::default(), budget());
    let shown = parts
        .iter()
        .map(|(part, names)| json!({ "names": names, "sha256": part.sha256.to_string(), "size": part.size }));
    json!({ "parts": shown.collect::<Vec<_>>() })
}

fn budget() -> Budget {
    Budget::starting_now(Duration::from_secs(30))
}

/// The names in an archive, and why some were not seen.
fn archive(bytes: &[u8], name: &str) -> Value {
    let limits = Limits::default();
    let mut allowance = Allowance::new(&limits, budget());
    let (family, kind) = family::of(bytes, name, "");
    let (members, closed) = unpack::open(kind, bytes, name, &mut allowance);
    let names: Vec<&str> = members
        .iter()
        .flat_map(|member| std::iter::once(&member.name).chain(&member.other_names))
        .map(String::as_str)
        .collect();
    json!({ "family": family.as_str(), "kind": kind, "names": names, "closed": format!("{closed:?}") })
}
