//! The named features of each mail named on standard input, `PATH`: a line `PATH<tab>flags<tab>feature feature ...`.
#![allow(clippy::print_stdout, reason = "a command for developers talks on the terminal")]

use std::io::{self, BufRead};
use std::time::Duration;

use detect::examine::{EnvelopeFacts, Examiner};
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use detect::mime::wire_form;
use detect::ruleset::load::from_stored;
use detect::scorecard::feature::FEATURES;

fn main() -> io::Result<()> {
    // Features need no rules, and the cards in force may be of other bounds.
    let in_force = InForce::only(from_stored(Vec::new()).0);
    let mut examiner = Examiner::new(&in_force, Limits::default());
    for line in io::stdin().lock().lines() {
        let path = line?;
        let raw = wire_form(&std::fs::read(&path)?);
        let budget = Budget::starting_now(Duration::from_secs(10));
        let features = examiner.named_features(&raw, &EnvelopeFacts::default(), budget);
        let names: Vec<&str> = features.iter().map(|feature| FEATURES.name(feature)).collect();
        let flags = format!("{}{}", u8::from(features.is_hard()), u8::from(features.abstains()));
        println!("{path}\t{flags}\t{}", names.join(" "));
    }
    Ok(())
}
