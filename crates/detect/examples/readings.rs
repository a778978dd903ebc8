//! What we read, for `cargo xtask differential`: a line of JSON for each file named on standard input, `mail PATH`,
//! `file PATH` or `link TEXT`. Other readers of the same bytes are asked beside it.
#![allow(clippy::print_stdout, reason = "a command for developers talks on the terminal")]

use std::io::{self, BufRead};
use std::time::Duration;

use detect::limits::{Budget, Limits};
use detect::mime::wire_form;
use detect::page::link::Url;
use detect::take_apart;
use domain::message::Part;
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        let answer = match line.split_once(' ') {
            Some(("mail", path)) => {
                shown(&take_apart::parts_of_mail(&wire_form(&std::fs::read(path)?), &Limits::default(), budget()))
            }
            Some(("file", path)) => {
                shown(&take_apart::parts_of_file(&std::fs::read(path)?, path, &Limits::default(), budget()))
            }
            Some(("link", text)) => {
                let text: String = serde_json::from_str(text).map_err(io::Error::other)?;
                json!(Url::parse(&text).map(|url| url.host))
            }
            _ => return Err(io::Error::other(format!("'{line}' is no file to be read"))),
        };
        println!("{answer}");
    }
    Ok(())
}

/// Every part: its names, its digest and its size.
fn shown(parts: &[(Part, Vec<String>)]) -> Value {
    let parts = parts
        .iter()
        .map(|(part, names)| json!({ "names": names, "sha256": part.sha256.to_string(), "size": part.size }));
    json!({ "parts": parts.collect::<Vec<_>>() })
}

fn budget() -> Budget {
    Budget::starting_now(Duration::from_secs(30))
}
