//! The text that is read in each document named on standard input, `PATH`: a line of JSON, path and text.
#![allow(clippy::print_stdout, reason = "a command for developers talks on the terminal")]

use std::io::{self, BufRead};
use std::time::Duration;

use detect::document;
use detect::limits::{Budget, Limits};
use detect::mime;
use detect::unpack::Allowance;
use domain::message::Family;

fn main() -> io::Result<()> {
    let limits = Limits::default();
    for line in io::stdin().lock().lines() {
        let path = line?;
        let bytes = std::fs::read(&path)?;
        let mut parsed = mime::alone(&bytes, &path, "");
        let part = parsed.message.parts.remove(0);
        let mut allowance = Allowance::new(&limits, Budget::starting_now(Duration::from_secs(10)));
        let seen = if part.family == Family::Pdf {
            document::look_at_pdf(&bytes, &part, &mut allowance)
        } else {
            document::look(&bytes, &part, &mut allowance)
        };
        println!("{}", serde_json::json!([path, seen.text]));
    }
    Ok(())
}
